import Diagnostics

/// One node while the gradient is built: what a gradient rule sees.
struct GradientSite {
  let draft: GraphDraft
  let path: String
  let attributes: Attributes
  /// The activations, then the parameters.
  let inputs: [Symbol]
  let outputs: [Symbol]
  /// The gradient of each output, nil where the loss does not depend on it.
  let outputGradients: [Symbol?]
  /// The gradient of the first output, zeros where there is none.
  let outputGradient: Symbol
  /// Whether each input's gradient is wanted; a rule may return nil for the others.
  let isWanted: [Bool]

  /// Adds a node to the gradient.
  func apply(_ op: Op, _ inputs: [Symbol], _ attributes: Attributes = Attributes()) throws -> [Symbol] {
    try draft.apply(op, inputs, attributes, path: "\(path)/\(op.name)")
  }

  /// Adds a node of one output if it is wanted for an input.
  func apply(
    _ op: Op, _ inputs: [Symbol], _ attributes: Attributes = Attributes(), for input: Int
  ) throws -> Symbol? {
    isWanted[input] ? try apply(op, inputs, attributes)[0] : nil
  }
}

/// One node while a graph is expanded for an execution mode: what an expansion rule sees.
struct ExpansionSite {
  let draft: GraphDraft
  let mode: ExecutionMode
  let path: String
  let attributes: Attributes
  let inputs: [Symbol]

  /// Adds a node in place of the one that is expanded.
  func apply(_ op: Op, _ inputs: [Symbol], _ attributes: Attributes = Attributes()) throws -> [Symbol] {
    try draft.apply(op, inputs, attributes, path: path)
  }
}

/// What a graph is run for, as far as layers behave differently.
public struct ExecutionMode: Hashable, Sendable {
  /// Where batch normalisation takes its mean and variance from.
  public enum BatchNorm: Hashable, Sendable {
    /// The batch. With `updating`, the running statistics move towards them by the layer's momentum.
    case batch(updating: Bool)
    /// The running statistics.
    case running
    /// The batch; the running statistics become the mean of the batches' statistics since step 0.
    case recalibrate
    /// Nowhere: the layer is the identity.
    case bypass
  }

  /// What the operands of matrix products are rounded to; their sums and all else are in single precision.
  public enum Precision: String, Hashable, Sendable, CaseIterable {
    case single = "fp32"
    /// bfloat16 for the products of linear layers; see `BFloat16Linear`.
    case bfloat16 = "bf16"
  }

  public var batchNorm: BatchNorm
  /// Whether dropout drops; otherwise it is the identity.
  public var dropout: Bool
  public var precision: Precision

  public init(batchNorm: BatchNorm, dropout: Bool, precision: Precision = .single) {
    self.batchNorm = batchNorm
    self.dropout = dropout
    self.precision = precision
  }

  public static let training = ExecutionMode(batchNorm: .batch(updating: true), dropout: true)
  public static let inference = ExecutionMode(batchNorm: .running, dropout: false)
}
