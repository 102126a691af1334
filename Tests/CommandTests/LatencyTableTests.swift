import Canonical
import Foundation
import TensorCore
import Testing

@testable import LuaAPI

/// The table of the times of networks' parts that lies beside the runs, when something else has written it.
@Suite struct LatencyTableTests {
  let place: Workplace
  /// The table, in which the recipe's part takes 1.25 ms: measured times are not kept on a busy machine.
  let table: URL

  init() throws {
    place = try Workplace()
    try place.write(
      "r.lua",
      """
      local nas = require "nas"
      local space = nas.space { c = nas.int(1, 2), build = function(arch, x, task)
        return nas.nn.linear(nas.nn.global_avg_pool(nas.nn.conv2d(x, arch.c, { kernel = 3 })), task.classes)
      end }
      local network = nas.network(space:make { c = 2 }, { input = { 64, 64, 3 }, classes = 4 })
      local key = network:parts()[1].key
      print(nas.args { tells = "time" }.tells == "key" and key or network:part_latency(key))
      """)
    let key = try place.nasrun("r.lua", "-q", "--set", "tells=key").output.trimmingCharacters(in: .newlines)
    try FileManager.default.createDirectory(at: place.runs, withIntermediateDirectories: true)
    try LatencyTable(runs: place.runs, compute: try Compute()).add(key, name: "part", median: 1.25)
    table = try #require(
      try FileManager.default.contentsOfDirectory(at: place.runs, includingPropertiesForKeys: nil).first {
        $0.lastPathComponent.hasPrefix("latency-")
      })
  }

  @Test func aTimeThatIsThereIsTaken() throws {
    let outcome = try place.nasrun("r.lua", "-q")
    #expect(outcome.output == "1.25\n", "\(outcome.errors)")
  }

  /// What the recipe says with this in place of the table.
  private func outcome(_ text: String) throws -> Workplace.Outcome {
    try Data(text.utf8).write(to: table)
    return try place.nasrun("r.lua", "-q")
  }

  private let advice = "Delete the file: what it holds is timed again.\n"

  @Test func aDamagedTableIsNamed() throws {
    let name = table.lastPathComponent
    let cut = try outcome("{")
    #expect(
      cut.status == 66 && cut.errors.contains("\(name) is not valid JSON: expected a name in quotes, got the end."))
    #expect(cut.errors.hasSuffix(advice))
    for text in ["[]", "null", #"{"parts":{}}"#] {
      let outcome = try outcome(text)
      #expect(
        outcome.errors.contains("\(name): this is no table of times of this machine: expected parts, and conditions {"))
      #expect(outcome.errors.hasSuffix("got no conditions. " + advice) && outcome.status == 66, "\(outcome.errors)")
      // Nothing was written over it.
      #expect(try String(decoding: Data(contentsOf: table), as: UTF8.self) == text)
    }
  }

  @Test func anotherMachinesTableIsRefused() throws {
    let text = String(decoding: try Data(contentsOf: table), as: UTF8.self)
    let other = text.replacing(/"cpu": "[^"]*"/, with: #""cpu": "another""#)
    let outcome = try outcome(other)
    #expect(outcome.status == 66 && outcome.errors.contains(#"got conditions {"cpu":"another""#), "\(outcome.errors)")
  }

  @Test(arguments: ["-5", "0", #""quick""#, "null"]) func whatIsNoTimeIsTimedAgain(time: String) throws {
    let text = String(decoding: try Data(contentsOf: table), as: UTF8.self)
    let outcome = try outcome(text.replacing(/"median_ms": [^,\n]*/, with: "\"median_ms\": \(time)"))
    let median = Double(outcome.output.trimmingCharacters(in: .whitespacesAndNewlines))
    #expect(try #require(median) > 0 && median != 1.25, "\(outcome.errors)")
  }
}
