import Canonical

/// A network in the words of ONNX (opset 17): operators on named tensors, with the numbers of the weights.
///
/// Inputs and outputs have the shapes of the graph, so images are `[N, H, W, C]` there; between them they are
/// `[N, C, H, W]` where ONNX's operators want that. The operators are in the order in which they can be computed.
public struct ONNXGraph: Sendable {
  /// The version of the operator set that the operators are of.
  public static let opset = 17

  /// Types of a tensor's elements, by their numbers in the format.
  package enum Element: Int {
    case float = 1
    case int64 = 7
    case bool = 9
  }

  /// An input or output.
  public struct Port: Sendable {
    public let name: String
    public let shape: Shape
  }

  /// Given numbers: a parameter, or what an operator takes as an input rather than as an attribute.
  public struct Tensor: Sendable {
    public enum Numbers: Sendable {
      case floats([Float])
      case integers([Int])
    }

    public let name: String
    public let shape: [Int]
    public let numbers: Numbers
  }

  /// One use of an operator. An input without a name is an optional one that isn't given.
  public struct Operator: Sendable {
    public internal(set) var name: String
    public let type: String
    public internal(set) var inputs: [String]
    public internal(set) var outputs: [String]
    /// Whole numbers, floats, texts, and lists of either kind of number.
    public let attributes: [String: JSONValue]
  }

  public internal(set) var inputs: [Port] = []
  public internal(set) var outputs: [Port] = []
  public internal(set) var tensors: [Tensor] = []
  public internal(set) var operators: [Operator] = []
}
