import TensorCore

/// Powers of two by which the values of a network are made smaller, so that a product of many large weights stays within
/// single precision.
///
/// Without batch norm a network of convolutions, ReLUs, poolings and sums is positively homogeneous: multiplying the
/// weight between two values by 2^k multiplies all that follows. Every value `v` gets an exponent `e(v)`, and is computed
/// as `v · 2^−e(v)`; a weight from `x` to `y` is then multiplied by `2^(e(x) − e(y))`, a bias by `2^−e(y)`. Powers of two
/// round nothing, so every result is exact up to them. Values that a sum or an activation ties together share their
/// exponent; those of ops that are not homogeneous keep 0, as the input does. The others get the middle of what the mean
/// gains of the weights on the way let expect of their group.
struct PowerScaling {
  /// For each value of the graph.
  private(set) var exponents: [Int]

  /// The ops that give `f(a x) = a f(x)` for a positive `a`, with a batch norm that is the identity. `zero` ties nothing.
  private static let homogeneous: Set<String> = [
    "relu", "batch_norm", "max_pool", "avg_pool", "global_avg_pool", "add", "concat", "dropout", "flatten", "reshape",
    "transpose", "slice", "abs", "sub", "minimum", "maximum", "sum", "mean", "reduce_max", "reduce_min", "drop_path",
  ]
  private static let scaled: Set<String> = ["conv2d", "linear"]

  init(_ graph: Graph, _ weights: Weights) {
    var groups = Groups(count: graph.values.count), pinned = Set(graph.inputs.map(\.value))
    for node in graph.nodes where !Self.scales(node, of: graph) && node.op.name != "zero" {
      let activations = Self.activations(of: node, in: graph), values = activations + [node.outputs[0]]
      for value in values.dropFirst() { groups.join(values[0], value) }
      // A parameter that takes part in a sum is not scaled with the other terms.
      let hasOwnTerms = activations.count < node.inputs.count && node.op.name != "batch_norm"
      if hasOwnTerms || !Self.homogeneous.contains(node.op.name) { pinned.insert(values[0]) }
    }
    let sizes = Self.expectedSizes(graph, weights)
    var ranges: [Int: (least: Double, greatest: Double)] = [:]
    for value in graph.values.indices where sizes[value].isFinite {
      let group = groups.group(of: value), range = ranges[group] ?? (.infinity, -.infinity)
      ranges[group] = (min(range.least, sizes[value]), max(range.greatest, sizes[value]))
    }
    for value in pinned { ranges[groups.group(of: value)] = nil }
    exponents = graph.values.indices.map { value in
      ranges[groups.group(of: value)].map { Int((($0.least + $0.greatest) / 2).rounded()) } ?? 0
    }
  }

  /// The base-2 logarithm of about how large each value is for an input of ones; −∞ for zeros and for parameters.
  private static func expectedSizes(_ graph: Graph, _ weights: Weights) -> [Double] {
    var sizes = [Double](repeating: -.infinity, count: graph.values.count)
    for port in graph.inputs { sizes[port.value] = 0 }
    for node in graph.nodes where node.op.name != "zero" {
      let inputs = activations(of: node, in: graph).map { sizes[$0] }, greatest = inputs.max() ?? 0
      switch node.op.name {
      case _ where scales(node, of: graph):
        sizes[node.outputs[0]] = greatest + gain(of: node.inputs[1], in: graph, weights)
      case "add":
        // Terms within a power of two of the greatest count as equal to it: near enough.
        let equal = greatest.isFinite ? inputs.count { $0 > greatest - 1 } : 1
        sizes[node.outputs[0]] = greatest + log2(Double(equal))
      default: sizes[node.outputs[0]] = greatest
      }
    }
    return sizes
  }

  private static func log2(_ x: Double) -> Double { Reproducible.logarithm(x) / 0.693_147_180_559_945_3 }

  /// The power of two by which the parameters of a node are multiplied, in the order of its inputs.
  func exponents(ofParametersOf node: Graph.Node) -> [Int] {
    let shift = exponents[node.inputs[0]] - exponents[node.outputs[0]]
    return node.inputs.indices.dropFirst().map { $0 == 1 ? shift : -exponents[node.outputs[0]] }
  }

  /// Whether a node's parameters are multiplied.
  static func scales(_ node: Graph.Node, of graph: Graph) -> Bool {
    scaled.contains(node.op.name) && activations(of: node, in: graph).count == 1
  }

  private static func activations(of node: Graph.Node, in graph: Graph) -> [Int] {
    node.inputs.filter { if case .parameter = graph.origins[$0] { false } else { true } }
  }

  /// The base-2 logarithm of the mean, over the outputs, of the sum of a weight's absolute values.
  private static func gain(of value: Int, in graph: Graph, _ weights: Weights) -> Double {
    guard case .parameter(let index) = graph.origins[value] else { return 0 }
    let parameter = graph.parameters[index]
    let sum = (weights[parameter.path] ?? []).reduce(0.0) { $0 + abs(Double($1)) }
    let mean = sum / Double(parameter.shape.channels)
    return mean.isNormal ? log2(mean) : 0
  }

  /// Sets of values that share an exponent.
  private struct Groups {
    private var parents: [Int]

    init(count: Int) { parents = Array(0..<count) }

    mutating func group(of value: Int) -> Int {
      var root = value
      while parents[root] != root { root = parents[root] }
      var next = value
      while parents[next] != root { (parents[next], next) = (root, parents[next]) }
      return root
    }

    mutating func join(_ a: Int, _ b: Int) { parents[group(of: b)] = group(of: a) }
  }
}

extension Weights {
  /// A copy for a probe: absolute values, powers of two, or both.
  func forProbe(of graph: Graph, absolute: Bool, scaling: PowerScaling?) throws -> Weights {
    let copy = try copy()
    if absolute {
      let values = copy.mutableValues
      for index in 0..<layout.trainedFloats { values[index] = abs(values[index]) }
    }
    guard let scaling else { return copy }
    for node in graph.nodes where PowerScaling.scales(node, of: graph) {
      for (value, exponent) in zip(node.inputs.dropFirst(), scaling.exponents(ofParametersOf: node)) where exponent != 0
      {
        guard case .parameter(let index) = graph.origins[value] else { continue }
        let entry = layout.entries[index], values = copy.mutableValues.advanced(by: entry.offset)
        let factor = Double(sign: .plus, exponent: exponent, significand: 1)
        for element in 0..<entry.count { values[element] = Float(Double(values[element]) * factor) }
      }
    }
    return copy
  }
}
