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

  /// The proxies of FreeREA that need no data, on other weights, rank cells as its published scores do (Cavagnero et
  /// al. 2023): a Spearman correlation above 0.95 over cells from the whole table.
  @Test(.enabled(if: file != nil, "NASRUN_DATA names no folder with nasbench201/cifar10.csv.gz"))
  func synflowRanksCellsAsPublished() throws {
    let rows = try Self.rows(of: try #require(Self.file), ["arch", "synflow", "log_synflow"])
    let step = ProcessInfo.processInfo.environment["NASRUN_QUICK"] == nil ? 211 : 521
    // Cells without a path have no score to compare.
    let scored = stride(from: 0, to: rows.count, by: step).map { rows[$0] }.filter { Double($0[1]) ?? 0 > 0 }
    let correlations = try Self.output(of: Self.ranking(scored)).compactMap(Double.init)
    #expect(correlations.count == 2)
    #expect(correlations.allSatisfy { $0 > 0.95 }, "\(correlations)")
  }

  private static func ranking(_ rows: [[Substring]]) -> String {
    let entries = rows.map { "{ \"\($0[0])\", \($0[1]), \($0[2]) }," }.joined(separator: "\n")
    return """
      local nas = require "nas"
      local space = nas.spaces.nasbench201 { channels = 16, cells = 5 }
      local published, ours = { {}, {} }, { {}, {} }
      for i, row in ipairs {
      \(entries)
      } do
        local net = nas.network(space:parse(row[1]), { input = { 32, 32, 3 }, classes = 10 })
        published[1][i], published[2][i] = row[2], row[3]
        ours[1][i], ours[2][i] = nas.proxies.synflow.score(net), nas.proxies.logsynflow.score(net)
      end
      local function ranks(values)
        local result = {}
        for i, value in ipairs(values) do
          result[i] = 0
          for _, other in ipairs(values) do result[i] = result[i] + (other < value and 1 or 0) end
        end
        return result
      end
      for i = 1, 2 do print(nas.linalg.corrcoef({ ranks(published[i]), ranks(ours[i]) }):at(1, 2)) end
      """
  }

  /// Some columns of each row; architecture, parameters and multiply-accumulates if not told otherwise.
  private static func rows(of file: URL, _ names: [Substring] = ["arch", "params", "macs"]) throws -> [[Substring]] {
    let gzip = Process(), output = Pipe()
    gzip.executableURL = URL(filePath: "/usr/bin/env")
    gzip.arguments = ["gzip", "-dc", file.path]
    gzip.standardOutput = output
    try gzip.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let lines = text.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    let columns = try names.map { try #require(lines.first?.firstIndex(of: $0)) }
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
