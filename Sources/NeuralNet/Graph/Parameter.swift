import Canonical
import TensorCore

/// How a parameter's first values are drawn.
public enum Initialiser: Hashable, Sendable {
  /// Uniform in `[-bound, bound)`.
  case uniform(bound: Double)
  /// Normal with mean 0.
  case normal(deviation: Double)
  case constant(Float)

  /// PyTorch's default for convolutions and linear layers, weights and biases alike: Kaiming-uniform with a = √5, which
  /// is U(−1/√fan_in, 1/√fan_in) (He et al. 2015; `torch.nn.init.kaiming_uniform_`).
  static func standard(fanIn: Int) -> Initialiser { .uniform(bound: 1 / Double(fanIn).squareRoot()) }

  /// Writes `count` values drawn from a stream.
  func fill(_ values: UnsafeMutablePointer<Float>, count: Int, from stream: inout RandomStream) {
    switch self {
    case .constant(let value):
      for index in 0..<count { values[index] = value }
    case .uniform(let bound): stream.fillUniform(values, count: count, bound: bound)
    case .normal(let deviation):
      for index in 0..<count { values[index] = Float(stream.normal() * deviation) }
    }
  }

  var json: JSONValue {
    switch self {
    case .constant(let value): ["constant": .number(Double(value))]
    case .uniform(let bound): ["uniform": .number(bound)]
    case .normal(let deviation): ["normal": .number(deviation)]
    }
  }

  init?(json: JSONValue?) {
    if let value = json?["constant"]?.double {
      self = .constant(Float(value))
    } else if let bound = json?["uniform"]?.double {
      self = .uniform(bound: bound)
    } else if let deviation = json?["normal"]?.double {
      self = .normal(deviation: deviation)
    } else {
      return nil
    }
  }
}

/// What a parameter is for; weight decay is decided by it.
public enum ParameterKind: String, Sendable, CaseIterable {
  /// Of a convolution or a linear layer.
  case weight
  case bias
  /// The scale and shift of a normalisation.
  case norm
  /// The mixing weights of a relaxed decision: trained by gradients, but not counted as a parameter of the network.
  case mixing
  /// A running statistic: kept and saved with the weights, never trained, not counted as a parameter.
  case statistic

  /// Whether gradients train it.
  public var isTrained: Bool { self != .statistic }
}

/// A parameter as an op declares it, before it has a path.
struct ParameterDeclaration {
  /// The last part of its path: `weight`, `running_mean`.
  let name: String
  let dimensions: [Int]
  let kind: ParameterKind
  let initialiser: Initialiser
}
