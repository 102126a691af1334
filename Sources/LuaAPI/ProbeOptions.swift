import Diagnostics
import LuaHost
import NeuralNet

/// The options of `network:probe` as a request.
struct ProbeOptions {
  let arguments: Arguments

  init(_ arguments: Arguments) { self.arguments = arguments }

  func request(of graph: Graph) throws -> ProbeRequest {
    try checkCombinations()
    var request = ProbeRequest()
    request.loss = .init(rawValue: arguments.text("loss")) ?? .crossEntropy
    switch arguments.text("bn") {
    case "running": request.batchNorm = .running
    case "bypass": request.batchNorm = .bypass
    default: request.batchNorm = .batch(updating: false)
    }
    request.isAbsolute = arguments["weights"].string == "absolute"
    request.isScaled = arguments.flag("scaled")
    request.isPerSample = arguments.flag("per_sample")
    request.point = .init(rawValue: arguments.text("at")) ?? .output
    request.targets = try targets()
    request.comparesSigns = arguments.flag("agreement")
    request.captured = try captured(of: graph)
    request.curvature = try curvature()
    return request
  }

  /// An error for an option that has no effect without another one.
  private func checkCombinations() throws {
    func need(_ option: String, _ needed: String, _ isThere: Bool) throws {
      if isThere { return }
      throw Fault(.recipe, "network:probe: \(option) has no effect without \(needed)")
    }
    let captures = try !texts("capture").isEmpty, wanted = try texts("wrt")
    if arguments.flag("agreement") { try need("agreement", "capture", captures) }
    if arguments.text("at") == "input" { try need("at = \"input\"", "capture", captures) }
    if wanted.contains("activations") { try need("wrt = \"activations\"", "capture", captures) }
    if arguments.flag("per_sample") { try need("per_sample", "wrt", !wanted.isEmpty) }
    if arguments.integer("size") > 1 {
      try need("size", "batch = \"ones\" or \"normal\"", arguments["batch"].string != nil)
    }
  }

  private func texts(_ option: String) throws -> [String] {
    if let text = arguments[option].string { return [text] }
    return try (arguments[option].table?.array ?? []).map { value in
      guard let text = value.string else {
        throw Fault(
          .recipe, "network:probe: wrong option '\(option)'", expected: "a text or a list of texts",
          got: value.description)
      }
      return text
    }
  }

  private func targets() throws -> Set<ProbeRequest.Target> {
    let known = ProbeRequest.Target.allCases.map(\.rawValue)
    return Set(
      try texts("wrt").map { name in
        guard let target = ProbeRequest.Target(rawValue: name) else {
          throw Fault(
            .recipe, "network:probe: unknown gradient by '\(name)'", expected: known.joined(separator: ", "),
            hint: Suggestion.hint(for: name, among: known))
        }
        return target
      })
  }

  /// The nodes that an op's name or a pattern of paths stands for, in the graph's order.
  private func captured(of graph: Graph) throws -> [Int] {
    var taken = Set<Int>()
    for pattern in try texts("capture") {
      let matching = graph.nodes.indices.filter { index in
        let node = graph.nodes[index]
        return node.op.name == pattern || PathPattern(pattern).matches(node.path)
      }
      taken.formUnion(matching)
      guard matching.isEmpty, (try? OpTable.layer(pattern)) == nil else { continue }
      throw Fault(
        .recipe, "network:probe: nothing in the network is called '\(pattern)'",
        expected: "an op, or a path with * for any text",
        hint: Suggestion.hint(for: pattern, among: graph.nodes.map(\.path)))
    }
    return taken.sorted()
  }

  private func curvature() throws -> ProbeRequest.Curvature? {
    if let text = arguments["hessian"].string {
      guard text == "gradient" else {
        throw Fault(
          .recipe, "network:probe: wrong option 'hessian'", expected: "\"gradient\" or a list of Tensors",
          got: "'\(text)'")
      }
      return .gradient
    }
    guard arguments["hessian"].table != nil else { return nil }
    return .directions(try TensorText.tensors(arguments["hessian"], in: "network:probe").map(\.values))
  }
}

/// A path in which `*` stands for any text.
private struct PathPattern {
  private let parts: [Substring]

  init(_ text: String) { parts = text.split(separator: "*", omittingEmptySubsequences: false) }

  func matches(_ path: String) -> Bool {
    guard parts.count > 1 else { return path == parts[0] }
    guard path.hasPrefix(parts[0]) else { return false }
    var rest = path.dropFirst(parts[0].count)
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let found = rest.firstRange(of: part) else { return false }
      rest = rest[found.upperBound...]
    }
    return rest.hasSuffix(parts[parts.count - 1])
  }
}
