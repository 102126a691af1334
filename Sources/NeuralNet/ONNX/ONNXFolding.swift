import Canonical

extension ONNXGraph {
  /// What becomes of the batch normalisations of a network that is written.
  public enum BatchNorm: Sendable {
    /// Operators of their own, as the network has them: what a program needs that trains on.
    case kept
    /// Part of the weights of the convolution before, where one is and nothing else reads it: less to compute.
    case folded
  }

  /// Makes each batch normalisation part of the convolution that it alone reads. With s = weight / √(variance + ε), the
  /// convolution's weight becomes s · weight and its bias s · (bias - mean) + the normalisation's bias, computed in
  /// double precision and rounded once.
  mutating func foldBatchNormalisations() {
    let readers = Dictionary(operators.flatMap(\.inputs).map { ($0, 1) }, uniquingKeysWith: +)
    let delivered = Set(outputs.map(\.name))
    var numbers = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0) })
    for index in operators.indices where operators[index].type == "BatchNormalization" {
      let source = operators[index].inputs[0]
      guard readers[source] == 1, !delivered.contains(source),
        let before = operators.firstIndex(where: { $0.outputs == [source] }), operators[before].type == "Conv",
        let folded = Folding(operators[before], operators[index], numbers)
      else { continue }
      let convolution = operators[before]
      // The name stays with the weight, unless another operator reads it.
      let weight = readers[convolution.inputs[1]] == 1 ? convolution.inputs[1] : "\(convolution.name)/folded_weight"
      let bias = "\(convolution.name)/folded_bias"
      numbers[weight] = Tensor(name: weight, shape: folded.shape, numbers: .floats(folded.weight))
      numbers[bias] = Tensor(name: bias, shape: [folded.bias.count], numbers: .floats(folded.bias))
      operators[before].inputs = [convolution.inputs[0], weight, bias]
      operators[before].outputs = operators[index].outputs
      operators[index].inputs = []
    }
    operators.removeAll { $0.type == "BatchNormalization" && $0.inputs.isEmpty }
    keepReadTensors(of: numbers)
  }

  /// The tensors that operators read, in the order in which they do.
  private mutating func keepReadTensors(of numbers: [String: Tensor]) {
    var seen: Set<String> = []
    tensors = operators.flatMap(\.inputs).filter { seen.insert($0).inserted }.compactMap { numbers[$0] }
  }
}

/// The weight and bias of a convolution that normalises its result.
private struct Folding {
  let shape: [Int]
  let weight: [Float]
  let bias: [Float]

  /// - Returns: nil where a number isn't given but computed.
  init?(
    _ convolution: ONNXGraph.Operator, _ normalisation: ONNXGraph.Operator, _ tensors: [String: ONNXGraph.Tensor]
  ) {
    func floats(_ operation: ONNXGraph.Operator, _ input: Int) -> [Float]? {
      guard input < operation.inputs.count, let tensor = tensors[operation.inputs[input]],
        case .floats(let values) = tensor.numbers
      else { return nil }
      return values
    }
    guard let weight = floats(convolution, 1), let shape = tensors[convolution.inputs[1]]?.shape,
      let gamma = floats(normalisation, 1), let beta = floats(normalisation, 2),
      let mean = floats(normalisation, 3), let variance = floats(normalisation, 4),
      let epsilon = normalisation.attributes["epsilon"]?.double
    else { return nil }
    let old = convolution.inputs.count > 2 ? floats(convolution, 2) : mean.map { _ in 0 }
    guard let old, !gamma.isEmpty else { return nil }
    let scales = zip(gamma, variance).map { Double($0) / (Double($1) + epsilon).squareRoot() }
    let perChannel = weight.count / gamma.count
    self.shape = shape
    self.weight = weight.indices.map { Float(Double(weight[$0]) * scales[$0 / perChannel]) }
    bias = gamma.indices.map { Float(scales[$0] * (Double(old[$0]) - Double(mean[$0])) + Double(beta[$0])) }
  }
}
