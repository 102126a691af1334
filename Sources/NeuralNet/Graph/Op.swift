import Canonical
import Diagnostics
import TensorCore

/// One operation of the table: everything that any executor, exporter or estimator needs to know about it.
///
/// An op knows neither plans nor recipes. It is a shape rule, a kernel over pointers, and a gradient that is itself
/// made of ops of the table, so a graph of ops is closed under differentiation. Adding an op is adding one value in one
/// file, naming it in `OpTable.all` and giving it an example in `OpExamples`, by which it is checked. It is a class because
/// every node of a graph has one, and making a plan copies nodes by the thousand.
public final class Op: Sendable {
  /// Who may put the op into a graph.
  public enum Role: String, Sendable {
    /// A recipe's `build`, and a graph file.
    case layer
    /// Only the transformations of graphs: gradients, losses, what a layer expands to.
    case derived
  }

  /// How many activations an op takes, parameters not counted.
  public enum Arity: Sendable, Equatable {
    case exactly(Int)
    case atLeast(Int)
  }

  /// What a kernel leaves in the padding lanes of its outputs, given inputs whose lanes are zero. All leave zeros; they
  /// differ in why, which is what fusing or replacing a kernel has to know.
  public enum PaddingLanes: String, Sendable {
    /// Zero comes out of zero: `max(0, x)`, sums.
    case carried
    /// The kernel writes zeros, since its formula would not give them: a bias, a mean subtracted.
    case cleared
    /// The outputs have no padding: parameters' gradients, statistics, scalars.
    case none
  }

  /// Which inputs the first output may overwrite when nobody reads them later.
  public enum InPlace: Sendable, Equatable {
    case never
    case inputs([Int])
    case anyInput
  }

  /// The largest activation of one sample and the largest parameter, in elements (1 GiB): beyond it is a mistake.
  static let largestValue = 1 << 28
  /// The largest height, width, channel count and batch that a graph accepts: keeps every product within an `Int`.
  static let largestExtent = 65_536

  public let name: String
  /// One line for the reference.
  public let documentation: String
  public let role: Role
  public let arity: Arity
  public let attributes: [AttributeSchema]
  public let paddingLanes: PaddingLanes
  public let inPlace: InPlace
  /// The inputs that a run changes: running statistics. Such a node is never dropped as unused.
  public let updates: [Int]
  /// Whether equal inputs give equal outputs, so that two equal nodes can be one. Random masks are not.
  public let isRepeatable: Bool
  /// Attributes that depend on the inputs, resolved once: `"same"` padding becomes two numbers.
  let resolve: @Sendable (OpUse) throws -> Attributes
  /// The types of the outputs. The first is the one that recipes see; the others are saved for the gradient.
  let infer: @Sendable (OpUse) throws -> [ValueType]
  /// The parameters that the op creates; they follow the activations in a node's inputs.
  let parameters: @Sendable (OpUse) -> [ParameterDeclaration]
  /// Multiply-accumulates per sample.
  let macs: @Sendable (_ inputs: [ValueType], _ outputs: [ValueType], Attributes) -> Int
  /// Prepares the computation. Nil for an op that always expands.
  let kernel: (@Sendable (KernelSite) throws -> Kernel)?
  /// What the op becomes in an execution mode, when that depends on the mode.
  let expansion: (@Sendable (ExpansionSite) throws -> [Symbol])?
  /// The gradients of the inputs, nil where one has none.
  let gradient: (@Sendable (GradientSite) throws -> [Symbol?])?
  /// The counterpart in ONNX; without one the op is written as what it expands to.
  public let onnx: ONNXMapping?
  /// Whether the op does multiply-accumulates that an estimate counts.
  public let hasCost: Bool

  /// Whether a loss can be differentiated through the op; then also any number of times, since gradients are ops that
  /// have gradients. An op that expands has those of its expansion.
  public var isDifferentiable: Bool { expansion != nil || gradient != nil }

  /// Whether a network with the op can be written in ONNX: by its counterpart, or as what it expands to.
  public var isExportable: Bool { onnx != nil || expansion != nil }

  init(
    _ name: String, _ documentation: String, role: Role = .layer, arity: Arity = .exactly(1),
    attributes: [AttributeSchema] = [], paddingLanes: PaddingLanes, inPlace: InPlace = .never, updates: [Int] = [],
    isRepeatable: Bool = true, resolve: @escaping @Sendable (OpUse) throws -> Attributes = { $0.attributes },
    infer: @escaping @Sendable (OpUse) throws -> [ValueType],
    parameters: @escaping @Sendable (OpUse) -> [ParameterDeclaration] = { _ in [] },
    macs: (@Sendable ([ValueType], [ValueType], Attributes) -> Int)? = nil,
    kernel: (@Sendable (KernelSite) throws -> Kernel)? = nil,
    expansion: (@Sendable (ExpansionSite) throws -> [Symbol])? = nil,
    gradient: (@Sendable (GradientSite) throws -> [Symbol?])? = nil, onnx: ONNXMapping? = nil
  ) {
    self.name = name
    self.documentation = documentation
    self.role = role
    self.arity = arity
    self.attributes = attributes
    self.paddingLanes = paddingLanes
    self.inPlace = inPlace
    self.updates = updates
    self.isRepeatable = isRepeatable && updates.isEmpty
    self.resolve = resolve
    self.infer = infer
    self.parameters = parameters
    self.macs = macs ?? { _, _, _ in 0 }
    hasCost = macs != nil
    self.kernel = kernel
    self.expansion = expansion
    self.gradient = gradient
    self.onnx = onnx
  }
}

extension Op {
  /// Throws a `recipe` fault unless the op takes this many activations.
  func checkArity(_ count: Int, path: String) throws {
    let (isRight, expected) =
      switch arity {
      case .exactly(let number): (count == number, "\(number)")
      case .atLeast(let number): (count >= number, "at least \(number)")
      }
    guard isRight else {
      throw Fault(.recipe, "\(name): wrong number of inputs", path: path, expected: expected, got: "\(count)")
    }
  }
}

/// One use of an op while a graph is built: what the shape rule sees.
struct OpUse {
  let op: Op
  /// Where the node will be: `block2/mb3/conv1`.
  let path: String
  let inputs: [ValueType]
  var attributes: Attributes

  /// The only or first input.
  var input: ValueType { inputs[0] }

  /// The types of the outputs. Throws for one that is too large, and for a parameter that would be.
  func outputs() throws -> [ValueType] {
    let outputs = try op.infer(self)
    for output in outputs { try checkSize(output.shape, of: "output") }
    for parameter in op.parameters(self) { try checkSize(.array(parameter.dimensions), of: parameter.name) }
    return outputs
  }

  private func checkSize(_ shape: Shape, of what: String) throws {
    guard let elements = shape.dimensions.product, elements <= Op.largestValue else {
      throw fault(
        "the \(what) is too large", expected: "at most \(Op.largestValue) elements", got: shape.description)
    }
  }

  /// A shape error at this node; on tensors outside of a model the op's name is all there is of a path.
  func fault(_ message: String, expected: String? = nil, got: String? = nil, hint: String? = nil) -> Fault {
    let place = path == op.name ? nil : path
    return Fault(.recipe, "\(op.name): \(message)", path: place, expected: expected, got: got, hint: hint)
  }

  /// The first input's shape, which must be `[N, H, W, C]`.
  func image() throws -> Shape {
    guard input.shape.isImage else {
      throw fault("wrong input shape", expected: "[N, H, W, C]", got: input.shape.description)
    }
    return input.shape
  }

  /// The first input's shape, which must be `[N, C]`.
  func vector(hint: String? = nil) throws -> Shape {
    guard input.shape.isVector else {
      throw fault("wrong input shape", expected: "[N, C]", got: input.shape.description, hint: hint)
    }
    return input.shape
  }
}

extension [Int] {
  /// The product; nil when it does not fit an `Int`.
  var product: Int? {
    reduce(1) { product, factor in
      product.flatMap { product in
        let (result, overflow) = product.multipliedReportingOverflow(by: factor)
        return overflow ? nil : result
      }
    }
  }
}
