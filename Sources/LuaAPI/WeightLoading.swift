import Canonical
import Diagnostics
import Exchange
import Foundation
import LuaHost
import NeuralNet
import RunStore

/// `network:load` and `weights:load`: another program's weights by a map of names.
struct WeightLoading {
  let session: Session

  /// `network:load`.
  var ofNetwork: (Declaration, API.Body) {
    (declaration("network:load", Parameter("network", "Network"), context: "evaluator or recipe"), loadNetwork)
  }

  /// `model:load`.
  var ofModel: (Declaration, API.Body) {
    (declaration("model:load", Parameter("model", "Model", "the model"), context: "recipe"), loadModel)
  }

  /// `weights:load`.
  var ofShared: (Declaration, API.Body) {
    (declaration("weights:load", Parameter("weights", "Weights"), context: "recipe"), loadShared)
  }

  private func declaration(_ name: String, _ this: Parameter, context: String) -> Declaration {
    Declaration(
      name,
      """
      Takes over weights from a safetensors file (F32, F16 or BF16; arrays of whole numbers are passed over). Returns
      { missing = paths without an array, unused = names without a path }, both empty unless strict is false.
      """,
      context: context, [this, Parameter("file", "string", "its path")],
      options: [
        Parameter(
          "map", "table|function", optional: true,
          "{ [name or Lua pattern of a whole name] = \"path\", with %1 … for captures } or function(name) that returns "
            + "the path or nil; names are paths if left out"),
        Parameter(
          "layout", "string", default: "nasrun", oneOf: WeightImport.Layout.allCases.map(\.rawValue),
          "pytorch: convolutions [out, in, ky, kx] and linear layers [out, in] are transposed"),
        Parameter("strict", "boolean", default: true, "names without a partner are an error that lists them all"),
      ],
      returns: "table<string, string[]> # missing, unused")
  }

  /// What to load and how, and what tells it from another loading.
  private func request(
    _ arguments: Arguments, _ function: String, for paths: [String]
  ) throws -> (file: String, how: WeightImport, operation: JSONValue) {
    let file = try session.readable(arguments.text(1))
    let (names, digest) = try WeightImport.names(in: file)
    let how = WeightImport(
      map: try map(names, arguments["map"], function, paths),
      layout: .init(rawValue: arguments.text("layout")) ?? .nasrun,
      isStrict: arguments.flag("strict"))
    return (
      file, how,
      [
        "load": .string(digest), "map": .object(how.map.mapValues(JSONValue.string)),
        "layout": .string(how.layout.rawValue), "strict": .bool(how.isStrict),
      ]
    )
  }

  private func loadNetwork(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let network = try arguments.object(0, as: NetworkObject.self)
    let (file, how, operation) = try request(arguments, "network:load", for: network.weights.paths)
    let after = network.version(after: operation), isPartOfTrial = session.effects.isNested
    let effect = try session.effects.perform(kind: "load", key: after, label: "load weights") {
      let unmatched = try network.weights.load(from: file, how)
      if !isPartOfTrial { try session.keep(network.weights, version: after) }
      return EffectOutcome(exact: Self.outcome(unmatched, network.weights))
    }
    if effect.isReplayed { try session.restore(network.weights, version: after) }
    network.advance(to: after)
    try push(effect.record.exact, call)
  }

  private func loadShared(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let weights = try arguments.object(0, as: WeightsObject.self), shared = weights.supernet.shared
    let (file, how, operation) = try request(arguments, "weights:load", for: shared.weights.paths)
    let outcome = try weights.state.change(kind: "load", operation, label: "weights:load", isCheckpoint: true) {
      let unmatched = try shared.weights.load(from: file, how)
      try shared.restartAverage()
      return Self.outcome(unmatched, shared.weights)
    }
    try push(outcome, call)
  }

  /// A model that was never called takes the arrays when it makes its parameters.
  private func loadModel(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let model = try arguments.object(0, as: ModelObject.self).model, arrays = model.arrays
    let (file, how, _) = try request(arguments, "model:load", for: arrays.map(\.name))
    guard !arrays.isEmpty else {
      let given = try Safetensors.read(file, skipsIntegers: true).arrays
      try model.load(
        given.compactMap { array in
          how.map[array.name].map { NamedArray(name: $0, shape: array.shape, values: array.values) }
        })
      return try push(Self.outcome(WeightImport.Unmatched(missing: [], unused: [])), call)
    }
    let (found, unmatched) = try how.read(file, for: arrays.map { .init(path: $0.name, shape: $0.shape) })
    for tensor in model.tensors {
      if let array = found.first(where: { $0.name == tensor.name }) { try tensor.set(array.values) }
    }
    try push(Self.outcome(unmatched), call)
  }

  private static func outcome(_ unmatched: WeightImport.Unmatched) -> JSONValue {
    [
      "missing": .array(unmatched.missing.map(JSONValue.string)),
      "unused": .array(unmatched.unused.map(JSONValue.string)),
    ]
  }

  private static func outcome(_ unmatched: WeightImport.Unmatched, _ weights: Weights) -> JSONValue {
    [
      "missing": .array(unmatched.missing.map(JSONValue.string)),
      "unused": .array(unmatched.unused.map(JSONValue.string)), "weights": .string(weights.digest),
    ]
  }

  private func push(_ outcome: JSONValue, _ call: borrowing LuaCall) throws {
    try call.push(JSONValue.object((outcome.object ?? [:]).filter { $0.key != "weights" }))
  }

  /// The path for each name that has one.
  private func map(
    _ names: [String], _ map: LuaValue, _ function: String, _ paths: [String]
  ) throws -> [String: String] {
    guard !map.isNil, let resolve = session.core?["mapped_name"].function else {
      return Dictionary(names.map { ($0, $0) }) { first, _ in first }
    }
    var result: [String: String] = [:]
    for name in names {
      let path = try resolve([map, .string(name)]).first ?? .nil
      guard !path.isNil else { continue }
      guard let text = path.string else {
        throw Fault(
          .recipe, "\(function): map gave no path for '\(name)'", expected: "a text or nil", got: path.description)
      }
      result[name] = text
    }
    for entry in map.table?.pairs ?? [] {
      guard let name = entry.key.string, let path = entry.value.string else { continue }
      try Self.check(name, path, function, names: names, paths: paths, isUsed: result.values.contains(path))
    }
    return result
  }

  /// Throws for an entry of a map without a pattern that names nothing in the file, or no path of the network.
  private static func check(
    _ name: String, _ path: String, _ function: String, names: [String], paths: [String], isUsed: Bool
  ) throws {
    guard !path.contains("%") else { return }
    if !isUsed {
      throw Fault(
        .recipe, "\(function): an entry of map names nothing in the file", got: "[\"\(name)\"]",
        hint: Suggestion.hint(for: name, among: names))
    }
    if !paths.isEmpty, !paths.contains(path) {
      throw Fault(
        .recipe, "\(function): an entry of map names no parameter", got: "[\"\(name)\"] = \"\(path)\"",
        hint: Suggestion.hint(for: path, among: paths))
    }
  }
}
