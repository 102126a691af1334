import ArgumentParser
import Canonical
import Foundation
import NeuralNet
import TensorCore

/// `nasrun ops`
struct OpsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ops", abstract: "List the operations that networks are made of, or check them.",
    discussion: """
      GRADIENT is how often an operation can be differentiated: "any" when its gradient is made of operations that have \
      gradients too. LANES is why the padding of its outputs is zero. COST is what its multiply-accumulates are \
      counted from.

      With --check, each is run on small examples on this machine, and the columns say what was found: "ok", "FAILED" \
      (with the reason below the table) or "-" where there is nothing to check. \
      \(OpProperty.allCases.map { "\($0.heading): \($0.documentation)" }.joined(separator: "; ")).
      """)

  @Flag(help: "Also list what layers expand to and differentiate into.") var all = false
  @Flag(help: "Run every operation and check its numbers and gradients; the exit status is 1 when one is wrong.")
  var check = false
  @Option(help: "With --check: a folder with PyTorch's numbers, as Tests/References.", completion: .directory)
  var references: String?
  @Option(
    help: ArgumentHelp(
      "With --check: the instruction set, avx512, avx2 or base; the best by default.", valueName: "set"))
  var kernels: String?
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    guard references == nil || check else { throw ValidationError("--references needs --check") }
    guard kernels == nil || check else { throw ValidationError("--kernels needs --check") }
  }

  func run() throws {
    let ops = all ? OpTable.all : OpTable.layers
    if check { return try runChecks(ops) }
    if json {
      print(JSONValue.object(["schema": 1, "ops": .array(ops.map(\.json))]).text(pretty: true))
    } else {
      print(Self.table(ops))
      print("\n'nasrun ops --check' runs them all and checks their numbers and gradients.")
    }
  }

  private func runChecks(_ ops: [Op]) throws {
    // Whatever is listed, all are checked: the exit status tells of the whole table.
    let folder = references.map { URL(filePath: $0, directoryHint: .isDirectory) }
    let checks = try OpCheck(references: folder, kernels: try kernels.map { try KernelSet(named: $0) })
    let reports = checks.reports(OpTable.all), names = Set(ops.map(\.name))
    let listed = reports.filter { names.contains($0.op.name) || $0.isBad }
    if json {
      print(JSONValue.object(["schema": 1, "ops": .array(listed.map(\.json))]).text(pretty: true))
    } else {
      print(listed.table)
    }
    if reports.contains(where: \.isBad) { throw ExitCode.failure }
  }

  static func table(_ ops: [Op]) -> String {
    var table = TextTable(columns: [
      .left("OP"), .left("INPUTS"), .left("GRADIENT"), .left("COST"), .left("LANES"), .left("ONNX"), .left("WHAT"),
    ])
    table.rows = ops.map { op in
      [
        op.name, op.inputsText, op.gradientText, op.hasCost ? "macs" : "-", op.paddingLanes.rawValue,
        op.onnx?.type ?? (op.isExportable ? "in parts" : "-"), op.documentation,
      ]
    }
    return table.text
  }
}

extension OpProperty {
  /// The heading of its column.
  fileprivate var heading: String {
    switch self {
    case .gradient: "1ST"
    case .second: "2ND"
    case .tape: "TAPE"
    case .lanes: "LANES"
    case .bits: "BITS"
    case .references: "PYTORCH"
    }
  }
}

extension OpOutcome {
  /// A cell of the table.
  fileprivate var text: String {
    switch self {
    case .passed: "ok"
    case .failed: "FAILED"
    case .notApplicable: "-"
    }
  }

  fileprivate var reason: String? { if case .failed(let reason) = self { reason } else { nil } }
}

extension [OpReport] {
  /// A row per op, the reasons of failures, and a count.
  fileprivate var table: String {
    var table = TextTable(
      columns: [.left("OP")] + OpProperty.allCases.map { .left($0.heading) } + [.right("EXAMPLES")])
    table.rows = map { report in
      [report.op.name] + OpProperty.allCases.map { report.outcomes[$0]?.text ?? "-" } + ["\(report.examples.count)"]
    }
    let failures = flatMap { report in
      (report.examples.isEmpty ? ["\(report.op.name): no example reaches it"] : [])
        + OpProperty.allCases.compactMap { property in
          report.outcomes[property]?.reason.map { "\(report.op.name), \(property.documentation): \($0)" }
        }
    }
    let bad = filter(\.isBad).count
    let summary = bad == 0 ? "\(count) operations, all right." : "\(count) operations, \(bad) wrong."
    return ([table.text, ""] + failures + [summary]).joined(separator: "\n")
  }
}

extension OpReport {
  /// The entry of `nasrun ops --check --json`.
  fileprivate var json: JSONValue {
    let checks = OpProperty.allCases.map { property -> (String, JSONValue) in
      let outcome = outcomes[property] ?? .notApplicable
      let state: JSONValue = outcome == .notApplicable ? .null : .bool(outcome == .passed)
      return (property.rawValue, ["ok": state, "reason": outcome.reason.map { .string($0) } ?? .null])
    }
    return .object([
      "name": .string(op.name), "ok": .bool(!isBad), "examples": .array(examples.map { .string($0) }),
      "checks": .object(Dictionary(uniqueKeysWithValues: checks)),
    ])
  }
}

extension Op {
  fileprivate var inputsText: String {
    switch arity {
    case .exactly(let count): "\(count)"
    case .atLeast(let count): "\(count)+"
    }
  }

  fileprivate var gradientText: String { isDifferentiable ? "any" : "none" }

  /// The entry of `nasrun ops --json`.
  fileprivate var json: JSONValue {
    .object([
      "name": .string(name), "role": .string(role.rawValue), "inputs": .string(inputsText),
      "gradient": .string(gradientText), "counts_macs": .bool(hasCost), "padding_lanes": .string(paddingLanes.rawValue),
      "onnx": onnx.map { .string($0.type) } ?? .null, "documentation": .string(documentation),
      "attributes": .array(attributes.map { ["name": .string($0.name), "default": $0.standard ?? .null] }),
    ])
  }
}
