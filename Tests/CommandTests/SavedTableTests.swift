import Canonical
import Foundation
import Testing

/// A network of a table is saved with all that another program needs to feed it.
@Suite struct SavedTableTests {
  let place: Workplace

  init() throws {
    place = try Workplace()
    try place.write(
      "t.csv", "a,colour,y\n" + (0..<20).map { "\($0),\($0 % 2 == 0 ? "red" : "blue"),1\($0)\n" }.joined())
  }

  private func saved(_ options: String) throws -> JSONValue? {
    try place.write(
      "r.lua",
      """
      local nas = require "nas"
      local space = nas.space {
        a = nas.int(1, 2),
        build = function(arch, x, task) return nas.nn.linear(x, task.classes) end,
      }
      local data = nas.data.open("t.csv", { target = "y", task = "regression", \(options) })
      print(space:make { a = 1 }:network(data):save())

      """)
    let outcome = try place.nasrun("r.lua", "-q")
    #expect(outcome.errors.isEmpty && outcome.status == 0)
    let folder = outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
    let file = URL(filePath: folder).appending(path: "architecture.json")
    return try JSONValue(parsing: try Data(contentsOf: file), source: "architecture.json")["input"]
  }

  @Test func columnsAndScales() throws {
    // Half of the rows are tested on; the numbers are those of the other half.
    let input = try #require(try saved("test = 0.5"))
    let columns = try #require(input["columns"]?.array)
    #expect(columns.count == 3 && input["shape"] == [3] && input["classes"] == ["y"])
    #expect(columns[1] == ["column": "colour", "text": "blue"] && columns[2] == ["column": "colour", "text": "red"])
    let mean = try #require(columns[0]["mean"]?.double), deviation = try #require(columns[0]["deviation"]?.double)
    #expect(columns[0]["column"] == "a" && (0...19).contains(mean) && (2...8).contains(deviation))
    let target = try #require(input["target"])
    #expect(target["column"] == "y" && input["mean"] == nil)
    #expect(try #require(target["mean"]?.double) >= 10 && #require(target["deviation"]?.double) > 0)
  }
}
