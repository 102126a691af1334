import ArgumentParser
import Canonical
import NeuralNet

/// `nasrun ops`
struct OpsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ops", abstract: "List the operations that networks are made of.",
    discussion: """
      GRADIENT is how often an operation can be differentiated: "any" when its gradient is made of operations that have \
      gradients too. LANES is why the padding of its outputs is zero. COST is what its multiply-accumulates are \
      counted from.
      """)

  @Flag(help: "Also list what layers expand to and differentiate into.") var all = false
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let ops = all ? OpTable.all : OpTable.layers
    if json {
      print(JSONValue.object(["schema": 1, "ops": .array(ops.map(\.json))]).text(pretty: true))
    } else {
      print(Self.table(ops))
    }
  }

  static func table(_ ops: [Op]) -> String {
    var table = TextTable(columns: [
      .left("OP"), .left("INPUTS"), .left("GRADIENT"), .left("COST"), .left("LANES"), .left("ONNX"), .left("WHAT"),
    ])
    table.rows = ops.map { op in
      [
        op.name, op.inputsText, op.gradientText, op.hasCost ? "macs" : "-", op.paddingLanes.rawValue,
        op.onnx?.type ?? "-", op.documentation,
      ]
    }
    return table.text
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
