import Canonical
import TensorCore

extension Op {
  /// The mean of `(x − y)²` over all elements of all samples, a scalar.
  static let meanSquaredError: Op = loss("mse", "Mean squared error.") { site in
    let difference = try site.subtract(site.inputs[0], site.inputs[1])
    let sum = try site.batchAveragedDot(difference, difference)
    return try site.scale(sum, 1 / Double(difference.shape.elementsPerSample))
  }

  /// Binary cross-entropy of logits and targets from 0 to 1, the mean over all elements: `log(1 + e^x) − x · t`.
  static let binaryCrossEntropy: Op = loss("binary_cross_entropy", "Binary cross-entropy of logits.") { site in
    let x = site.inputs[0], target = site.inputs[1]
    let terms = try site.subtract(try site.apply(.softplus, [x])[0], try site.multiply(x, target))
    let sum = try site.batchAveragedDot(terms, try site.scale(x, 0, shift: 1))
    return try site.scale(sum, 1 / Double(x.shape.elementsPerSample))
  }

  /// The divergence `KL(softmax(t) ‖ softmax(x))` of logits from a teacher's logits over the last axis, summed over the
  /// other dimensions, the mean over the first axis unless that is the last (Kullback & Leibler 1951): what distillation
  /// minimises. A class that the teacher rules out adds nothing, `0 · log 0 = 0`.
  static let klDivergence: Op = loss("kl_divergence", "Divergence from a teacher's logits.") { site in
    let x = site.inputs[0], teacher = site.inputs[1]
    let difference = try site.subtract(
      try site.apply(.logSoftmaxRows, [teacher])[0], try site.apply(.logSoftmaxRows, [x])[0])
    let probabilities = try site.apply(.softmaxRows, [teacher])[0]
    let sum = try site.batchAveragedDot(probabilities, try site.zeroing(difference, where: probabilities))
    if x.shape.hasBatch || x.shape.rank < 2 { return sum }
    return try site.scale(sum, 1 / Double(x.shape.dimensions[0]))
  }

  private static func loss(
    _ name: String, _ documentation: String, _ expression: @escaping @Sendable (ExpansionSite) throws -> Symbol
  ) -> Op {
    Op(
      name, documentation, arity: .exactly(2), paddingLanes: .none,
      infer: { use in
        guard use.inputs[1] == use.input else {
          throw use.fault(
            "the target has another shape", expected: use.input.shape.description,
            got: use.inputs[1].shape.description)
        }
        return [ValueType(.array([]))]
      },
      expansion: { [try expression($0)] })
  }
}

extension ExpansionSite {
  /// The value, but 0 where the factor that it is for is 0: also where it is infinite.
  func zeroing(_ value: Symbol, where factor: Symbol) throws -> Symbol {
    let zero = try apply(.constant, [], Attributes(["value": 0, "dimensions": []]))[0]
    return try apply(.choose, [try apply(.equal, [factor, zero])[0], zero, value])[0]
  }

  /// The sum of products over all elements, divided by the batch size where there is one.
  func batchAveragedDot(_ a: Symbol, _ b: Symbol) throws -> Symbol {
    try apply(.dot, [a, b], Attributes(a.shape.hasBatch ? ["averaged": true] : [:]))[0]
  }
}
