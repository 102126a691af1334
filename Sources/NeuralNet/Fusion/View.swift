import TensorCore

/// The statistics and factors of a normalisation: values of a graph, or places among a node's inputs.
struct Normalisation {
  var mean: Int, variance: Int
  /// Scale and shift; nil where they aren't trained.
  var weight: Int?, bias: Int?
  let epsilon: Float

  /// The one of a `normalise` node, or of a `batch_normalise` node, whose statistics are outputs.
  init(of node: Graph.Node) {
    let isGiven = node.op.name == Op.normalise.name
    (mean, variance) = isGiven ? (node.inputs[1], node.inputs[2]) : (node.outputs[1], node.outputs[2])
    let affine = node.inputs.dropFirst(isGiven ? 3 : 1)
    (weight, bias) = affine.count == 2 ? (affine[affine.startIndex], affine[affine.startIndex + 1]) : (nil, nil)
    epsilon = Float(node.attributes.number("epsilon"))
  }

  /// The same with each value replaced.
  func mapped(_ replace: (Int) -> Int) -> Normalisation {
    var copy = self
    (copy.mean, copy.variance) = (replace(mean), replace(variance))
    (copy.weight, copy.bias) = (weight.map(replace), bias.map(replace))
    return copy
  }
}

/// A value that its readers make themselves from one that is in memory: normalised, clamped, or both, element by element.
struct View {
  var image: Int
  var normalisation: Normalisation?
  var low = -Float.infinity, high = Float.infinity

  var isClamped: Bool { low > -.infinity || high < .infinity }

  /// The same with each value replaced.
  func mapped(_ replace: (Int) -> Int) -> View {
    View(image: replace(image), normalisation: normalisation?.mapped(replace), low: low, high: high)
  }
}

/// The bounds of a ReLU.
struct Clamp {
  let low: Float = 0
  let high: Float

  /// Of a `relu` or `relu6` node, or of the gradient of one; nil for another.
  init?(of node: Graph.Node) {
    switch node.op.name {
    case Op.relu.name, Op.reluGradient.name: high = .infinity
    case Op.relu6.name, Op.relu6Gradient.name: high = 6
    default: return nil
    }
  }

  static func isGradient(_ node: Graph.Node) -> Bool {
    [Op.reluGradient.name, Op.relu6Gradient.name].contains(node.op.name)
  }
}

/// The gradient of a normalisation's input that its readers make themselves: `k1 · dy + k2 · z + k3`.
struct GradientView {
  /// The gradient of the normalisation's output, or of the clamp behind it.
  var outputGradient: Int
  var image: Int
  /// Where the sums over the batch are; see `BatchNormalization.GradientCoefficients`.
  var coefficients: Int
  /// The clamp behind the normalisation.
  let clamp: Clamp?

  /// The same with each value replaced.
  func mapped(_ replace: (Int) -> Int) -> GradientView {
    GradientView(
      outputGradient: replace(outputGradient), image: replace(image), coefficients: replace(coefficients),
      clamp: clamp)
  }
}

/// The inputs of a node that is put together.
struct NodeInputs {
  private(set) var values: [Int] = []

  /// Adds a value; returns its place.
  mutating func place(_ value: Int) -> Int {
    values.append(value)
    return values.count - 1
  }

  /// Whether the result may be written over the value at a place: not when the node reads it in another way too.
  func inPlace(_ place: Int?) -> Op.InPlace {
    guard let place, values.filter({ $0 == values[place] }).count == 1 else { return .never }
    return .inputs([place])
  }
}
