import Canonical
import Diagnostics
import TensorCore

/// A network compiled with its gradients for one look at them.
final class ProbePlan {
  /// A value to read after a run.
  struct Read {
    let path: String
    let op: String
    /// In the compiled graph.
    let value: Int
    let gradient: Int?
    let curvature: Int?
    /// In the graph that is probed.
    let origin: Int
  }

  let plan: Plan
  let input: Read
  let activations: [Read]
  let weights: [Read]
  /// The codes of what was captured, where the request compares signs, and how many elements of a sample they are of.
  private let codes: [(value: Int, elements: Int)]
  let output: Int
  let loss: Int?
  private let labels: Int?
  /// The gradient of each output, or a factor of it.
  private let seed: Graph.Port
  private let directions: [Graph.Port]

  init(_ graph: Graph, batch: Int, _ request: ProbeRequest, compute: Compute) throws {
    let points = request.captured.map { Self.point(request.point, of: graph.nodes[$0]) }
    let mode = ExecutionMode(batchNorm: request.batchNorm, dropout: false)
    let (draft, symbols) = try graph.expanded(for: mode, keeping: points)
    let output = draft.symbol(draft.graph.outputs[0].value)
    let losses = try Self.loss(request, output, draft)
    let captured = points.compactMap { symbols[$0] }
    let indices = Self.weights(of: graph, request.targets)
    let weights = indices.map { draft.symbol(draft.graph.parameters[$0].value) }
    let wanted = Self.wanted(request, input: draft.symbol(draft.graph.inputs[0].value), captured, weights)
    let gradients =
      wanted.isEmpty
      ? [:]
      : Dictionary(
        zip(wanted.map(\.id), try draft.gradients(of: output, from: losses.gradient, wrt: wanted)),
        uniquingKeysWith: { first, _ in first }
      ).compactMapValues { $0 }
    let codes =
      try request.comparesSigns
      ? captured.map { value in
        (value: try draft.apply(.signCodes, [value], path: "codes")[0].id, elements: value.shape.elementsPerSample)
      } : []
    let curved = try Self.curvature(request, of: weights, gradients, draft)
    let reader = Reader(request: request, gradients: gradients, products: curved.products)
    input = reader.input(of: graph, draft)
    let shown = request.comparesSigns ? [] : Array(zip(request.captured, zip(points, captured)))
    activations = shown.map { node, value in
      reader.read(graph.nodes[node].path, graph.nodes[node].op.name, value.1, origin: value.0, .activations)
    }
    self.weights = reader.weights(indices, of: graph, weights)
    let kept =
      [output.id] + shown.map { $0.1.1.id } + codes.map(\.value) + gradients.values.map(\.id).sorted()
      + curved.products.values.map(\.id).sorted()
      + [losses.value, losses.labels].compactMap { $0?.id }
    plan = try Plan(
      draft.graph, batch: batch, kept: kept, random: RandomSource(seed: 0, name: "probe"), compute: compute)
    self.codes = codes
    (self.output, loss, labels, seed) = (output.id, losses.value?.id, losses.labels?.id, losses.seed)
    directions = curved.directions
  }

  // MARK: - Compiling

  /// Says where in the compiled graph a value and its gradients are.
  private struct Reader {
    let request: ProbeRequest
    let gradients: [Int: Symbol]
    let products: [Int: Symbol]

    func read(_ path: String, _ op: String, _ symbol: Symbol, origin: Int, _ target: ProbeRequest.Target) -> Read {
      let isTarget = request.targets.contains(target)
      return Read(
        path: path, op: op, value: symbol.id, gradient: isTarget ? gradients[symbol.id]?.id : nil,
        curvature: products[symbol.id]?.id, origin: origin)
    }

    func input(of graph: Graph, _ draft: GraphDraft) -> Read {
      let port = graph.inputs[0], symbol = draft.symbol(draft.graph.inputs[0].value)
      return read(port.name, "input", symbol, origin: port.value, .input)
    }

    func weights(_ indices: [Int], of graph: Graph, _ symbols: [Symbol]) -> [Read] {
      let owners = graph.ownersOfParameters
      let target: ProbeRequest.Target = request.targets.contains(.parameters) ? .parameters : .weights
      return zip(indices, symbols).map { index, symbol in
        let parameter = graph.parameters[index]
        return read(parameter.path, owners[parameter.value] ?? "", symbol, origin: parameter.value, target)
      }
    }
  }

  private static func point(_ point: ProbeRequest.Point, of node: Graph.Node) -> Int {
    point == .output ? node.outputs[0] : node.inputs[0]
  }

  /// The parameters that a probe lists.
  static func weights(of graph: Graph, _ targets: Set<ProbeRequest.Target>) -> [Int] {
    graph.parameters.indices.filter { index in
      let kind = graph.parameters[index].kind
      return targets.contains(.parameters) ? kind.isTrained : targets.contains(.weights) && kind == .weight
    }
  }

  private static func wanted(
    _ request: ProbeRequest, input: Symbol, _ captured: [Symbol], _ weights: [Symbol]
  ) -> [Symbol] {
    (request.targets.contains(.input) ? [input] : [])
      + (request.targets.contains(.activations) ? captured : []) + weights
  }

  /// What the gradient of the output is, the loss where it is computed in the graph, and what both are fed with.
  private static func loss(
    _ request: ProbeRequest, _ output: Symbol, _ draft: GraphDraft
  ) throws -> (gradient: Symbol, value: Symbol?, labels: Symbol?, seed: Graph.Port) {
    guard request.loss == .crossEntropy else {
      let seed = draft.input("seed", output.type)
      return (seed, nil, nil, draft.graph.inputs[draft.graph.inputs.count - 1])
    }
    let labels = draft.input("labels", ValueType(.activation([]), .int32)), seed = draft.input("seed", output.type)
    let port = draft.graph.inputs[draft.graph.inputs.count - 1]
    let smoothing = Attributes(["label_smoothing": 0])
    let value = try draft.apply(.labelCrossEntropy, [output, labels], smoothing, path: "loss")[0]
    let one = try draft.apply(.constant, [], Attributes(["value": 1, "dimensions": []]), path: "loss/one")[0]
    let gradient = try draft.apply(.crossEntropyGradient, [output, labels, one], smoothing, path: "loss/gradient")[0]
    let seeded = request.isPerSample ? try draft.apply(.mul, [gradient, seed], path: "loss/seeded")[0] : gradient
    return (seeded, value, labels, port)
  }

  /// For each weight, the gradient of (its gradient · a constant direction).
  private static func curvature(
    _ request: ProbeRequest, of weights: [Symbol], _ gradients: [Int: Symbol], _ draft: GraphDraft
  ) throws -> (products: [Int: Symbol], directions: [Graph.Port]) {
    guard let curvature = request.curvature else { return ([:], []) }
    var ports: [Graph.Port] = [], terms: [Symbol] = []
    for (index, weight) in weights.enumerated() {
      var direction: Symbol?
      if case .directions = curvature {
        direction = draft.input("direction\(index)", weight.type)
        ports.append(draft.graph.inputs[draft.graph.inputs.count - 1])
      }
      guard let gradient = gradients[weight.id] else { continue }
      let constant = try direction ?? draft.apply(.stopGradient, [gradient], path: "curvature/direction")[0]
      terms.append(try draft.apply(.dot, [gradient, constant], path: "curvature/dot")[0])
    }
    guard let first = terms.first else { return ([:], ports) }
    let sum = terms.count == 1 ? first : try draft.apply(.add, terms, path: "curvature/sum")[0]
    let one = try draft.apply(.constant, [], Attributes(["value": 1, "dimensions": []]), path: "curvature/one")[0]
    let products = try draft.gradients(of: sum, from: one, wrt: weights)
    return (
      Dictionary(zip(weights.map(\.id), products), uniquingKeysWith: { first, _ in first }).compactMapValues { $0 },
      ports
    )
  }

  // MARK: - Running

  /// Writes samples of a dense batch, and their labels, which fit.
  func write(_ batch: [Float], labels given: [Int32]?, directions arrays: [[Float]]) throws {
    try batch.withUnsafeBufferPointer { try plan.write($0, to: plan.graph.inputs[0]) }
    for (port, array) in zip(directions, arrays) {
      try array.withUnsafeBufferPointer { try plan.write($0, to: port) }
    }
    guard let labels, let target = plan.buffer(labels)?.assumingMemoryBound(to: Int32.self) else { return }
    for (index, label) in (given ?? []).prefix(plan.batch).enumerated() { target[index] = label }
  }

  /// Runs the plan; with a sample, for the gradients of its own loss alone.
  func run(_ weights: Weights, sample: Int?) throws {
    let elements = plan.graph.values[output].shape.elementsPerSample
    var seeds = [Float](repeating: sample == nil ? 1 : 0, count: plan.batch * elements)
    if let sample {
      // The mean over the batch has divided each sample's gradient by its size.
      let factor = loss == nil ? 1 : Float(plan.batch)
      for index in sample * elements..<(sample + 1) * elements { seeds[index] = factor }
    }
    try seeds.withUnsafeBufferPointer { try plan.write($0, to: seed) }
    try plan.run(weights, step: 0)
  }

  /// For each pair of samples, how many captured elements are greater than 0 in both or in neither.
  func agreement() throws -> Matrix {
    var matrix = try Matrix(rows: plan.batch, columns: plan.batch)
    for code in codes {
      guard let buffer = plan.buffer(code.value) else { continue }
      let shape = plan.graph.values[code.value].shape
      SignCodes.addAgreement(
        rows: plan.batch, count: code.elements, codes: buffer.assumingMemoryBound(to: UInt32.self),
        stride: shape.rowStride, words: shape.channels, to: &matrix, compute: plan.compute)
    }
    return matrix
  }

  /// The shape of a value as users see it.
  func shape(_ value: Int) -> [Int] { plan.graph.values[value].shape.extents(batch: plan.batch) }

  func tensor(_ value: Int) throws -> Tensor { try Tensor(shape(value), plan.read(value)) }
}

extension Graph {
  /// For the value of each parameter, the op of the node that has it.
  var ownersOfParameters: [Int: String] {
    var owners: [Int: String] = [:]
    for node in nodes { for input in node.inputs where owners[input] == nil { owners[input] = node.op.name } }
    return owners
  }
}
