import Foundation
import LuaAPI
import RunStore
import Testing

/// The cell space of the library against the benchmark's own table: parameters and multiply-accumulates of all 15,625
/// networks of 16 channels and 5 cells, for CIFAR-10.
///
/// The table is `nasbench201/cifar10.csv.gz` in the folder that the variable NASRUN_DATA names; without it the test is
/// skipped, and says so. With NASRUN_QUICK it takes every 50th row.
@Suite struct NASBench201Tests {
  private static let file: URL? = {
    guard let folder = ProcessInfo.processInfo.environment["NASRUN_DATA"] else { return nil }
    let file = URL(filePath: folder).appending(path: "nasbench201/cifar10.csv.gz")
    return FileManager.default.fileExists(atPath: file.path) ? file : nil
  }()

  @Test(.enabled(if: file != nil, "NASRUN_DATA names no folder with nasbench201/cifar10.csv.gz"))
  func parametersAndMACsAreTheBenchmarks() throws {
    let rows = try Self.rows(of: try #require(Self.file))
    #expect(rows.count == 15_625)
    let step = ProcessInfo.processInfo.environment["NASRUN_QUICK"] == nil ? 1 : 50
    let checked = stride(from: 0, to: rows.count, by: step).map { rows[$0] }
    let lines = try Self.output(of: Self.recipe(checked))
    #expect(lines == ["\(checked.count) networks"])
  }

  /// Architecture, parameters and multiply-accumulates of each row.
  private static func rows(of file: URL) throws -> [[Substring]] {
    let gzip = Process(), output = Pipe()
    gzip.executableURL = URL(filePath: "/usr/bin/env")
    gzip.arguments = ["gzip", "-dc", file.path]
    gzip.standardOutput = output
    try gzip.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let lines = text.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    let columns = try ["arch", "params", "macs"].map { try #require(lines.first?.firstIndex(of: $0)) }
    return lines.dropFirst().map { line in columns.map { line[$0] } }
  }

  private static func recipe(_ rows: [[Substring]]) -> String {
    let entries = rows.map { "{ \"\($0[0])\", \($0[1]), \($0[2]) }," }.joined(separator: "\n")
    return """
      local space = require "nas".spaces.nasbench201 { channels = 16, cells = 5 }
      local rows = {
      \(entries)
      }
      for _, row in ipairs(rows) do
        local cost = space:parse(row[1]):cost { input = { 32, 32, 3 }, classes = 10 }
        if cost.params ~= row[2] or cost.macs ~= row[3] then
          error(("%s: %d parameters and %d MACs, got %d and %d"):format(row[1], row[2], row[3], cost.params, cost.macs))
        end
      end
      print(#rows .. " networks")
      """
  }

  /// What a recipe prints.
  private static func output(of text: String) throws -> [String] {
    let folder = FileManager.default.temporaryDirectory
    let source = RecipeSource(file: "table.lua", folder: folder.path, text: text)
    let listener = Listener()
    _ = try RecipeRunner(SessionOptions(recipe: source, runs: folder), observer: listener).run()
    return listener.lines
  }

  private final class Listener: RunObserver {
    var lines: [String] = []
    func printed(_ line: String) { lines.append(line) }
    func noted(_ text: String) {}
    func progressed(_ progress: SearchState) {}
    func finished(_ trial: TrialSummary, _ progress: SearchState) {}
  }
}
