import TensorCore

/// What a probe asks of a network: one or more looks at values and gradients, without training anything.
public struct ProbeRequest {
  /// What gradients are of.
  public enum Loss: String, Sendable {
    /// The mean cross-entropy of the first output against labels.
    case crossEntropy = "cross_entropy"
    /// The sum of all elements of the first output.
    case sum
  }

  /// What gradients are by.
  public enum Target: String, CaseIterable, Sendable {
    case input
    /// The weights of convolutions and linear layers, neither biases nor those of normalisations.
    case weights
    /// All that is trained.
    case parameters
    /// The captured activations.
    case activations
  }

  /// Which value of a captured node is meant.
  public enum Point: String, Sendable {
    case output
    /// The first input.
    case input
  }

  /// Along which direction the Hessian of the loss is taken.
  public enum Curvature {
    /// The gradient itself.
    case gradient
    /// One array for each weight, in the order of the result's list.
    case directions([[Float]])
  }

  public var loss = Loss.crossEntropy
  public var batchNorm = ExecutionMode.BatchNorm.batch(updating: false)
  /// Every parameter is replaced by its absolute value.
  public var isAbsolute = false
  /// The positions in `Graph.nodes` of the nodes to capture.
  public var captured: [Int] = []
  public var point = Point.output
  /// What is captured isn't kept: samples are compared by it; see `ProbeResult.agreement`.
  public var comparesSigns = false
  public var targets: Set<Target> = []
  /// Each sample's own loss gives a gradient of its own.
  public var isPerSample = false
  /// The product of the Hessian by the weights with a direction; nil: none.
  public var curvature: Curvature?
  /// Parameters are multiplied by powers of two against overflow; see `PowerScaling`.
  public var isScaled = false

  public init() {}

  /// Whether the samples of a batch do not see each other.
  var isSampleIndependent: Bool {
    switch batchNorm {
    case .running, .bypass: true
    case .batch, .recalibrate: false
    }
  }
}

/// A value that a probe looked at.
public struct ProbedValue {
  /// The node's path, or the parameter's.
  public let path: String
  /// The op of the node, or of the node that has the parameter.
  public let op: String
  public let value: Tensor
  /// Zeros where the loss does not depend on the value; nil when it was not asked for. Per sample, the samples are its
  /// first dimension.
  public let gradient: Tensor?
  /// The product of the Hessian with the direction, where it was asked for.
  public let curvature: Tensor?
  /// The value is to be multiplied by 2 to this power, 0 without scaling; likewise for the gradient.
  public var valueExponent = 0
  public var gradientExponent = 0
}

/// What a probe saw.
public struct ProbeResult {
  /// Per sample or not, over the whole batch: the mean cross-entropy, or the sum of the outputs.
  public let loss: Double
  /// The first output.
  public let outputs: Tensor
  /// `loss` and `outputs` are to be multiplied by 2 to this power.
  public let exponent: Int
  public let input: ProbedValue
  /// In the graph's order.
  public let activations: [ProbedValue]
  /// With `comparesSigns`: for each pair of samples, how many captured elements are greater than 0 in both or in neither.
  public let agreement: Matrix?
  /// In the graph's order: the weights or the parameters that were asked for.
  public let weights: [ProbedValue]
}
