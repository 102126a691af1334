import TensorCore

/// The shape of one value of a graph.
///
/// The batch dimension is symbolic: a graph fits every batch size, a plan fixes it. Activations are channels-last.
public struct Shape: Hashable, Sendable {
  /// Whether a leading batch dimension `N` comes before `dimensions`.
  public let hasBatch: Bool
  /// The dimensions after the batch; for a parameter, all of them.
  public let dimensions: [Int]

  /// An activation `[N, dimensions…]`.
  public static func activation(_ dimensions: [Int]) -> Shape { Shape(hasBatch: true, dimensions: dimensions) }
  /// Images `[N, H, W, C]`.
  public static func image(_ height: Int, _ width: Int, _ channels: Int) -> Shape {
    activation([height, width, channels])
  }
  /// Feature vectors `[N, C]`.
  public static func vector(_ channels: Int) -> Shape { activation([channels]) }
  /// An array without a batch: a parameter, a statistic, a loss (`[]`).
  public static func array(_ dimensions: [Int]) -> Shape { Shape(hasBatch: false, dimensions: dimensions) }

  /// Whether this is `[N, H, W, C]`.
  public var isImage: Bool { hasBatch && dimensions.count == 3 }
  /// Whether this is `[N, C]`.
  public var isVector: Bool { hasBatch && dimensions.count == 1 }
  /// The height of `[N, H, W, C]`.
  public var height: Int { dimensions[0] }
  /// The width of `[N, H, W, C]`.
  public var width: Int { dimensions[1] }
  /// The last dimension; 1 for a scalar.
  public var channels: Int { dimensions.last ?? 1 }
  /// The number of elements of one sample, or of an array without a batch.
  public var elementsPerSample: Int { dimensions.reduce(1, *) }

  /// The floats from one row of `channels` elements to the next in a plan's buffer: activations are channel-padded.
  var rowStride: Int { hasBatch && !dimensions.isEmpty ? paddedChannels(channels) : channels }

  /// The number of axes as printed, the batch among them.
  public var rank: Int { dimensions.count + (hasBatch ? 1 : 0) }

  /// All extents at a batch size.
  func extents(batch: Int) -> [Int] { (hasBatch ? [batch] : []) + dimensions }

  /// Zero lanes after the last channel of each row.
  var paddingLanes: Int { rowStride - channels }

  /// Where the elements of a buffer of this shape lie.
  func layout(batch: Int) -> StridedLayout {
    StridedLayout(extents(batch: batch), paddingChannels: hasBatch && !dimensions.isEmpty)
  }

  /// The number of rows of `channels` elements at a batch size.
  public func rows(batch: Int) -> Int { (hasBatch ? batch : 1) * dimensions.dropLast().reduce(1, *) }
}

extension Shape: CustomStringConvertible {
  /// `[N, 32, 32, 16]` for an activation, `[3, 3, 16, 32]` for a parameter.
  public var description: String {
    "[" + ((hasBatch ? ["N"] : []) + dimensions.map(String.init)).joined(separator: ", ") + "]"
  }
}

/// The shape and the element type of one value of a graph.
public struct ValueType: Hashable, Sendable {
  /// What a value is made of; both take four bytes.
  public enum Element: String, Sendable {
    case float
    case int32
  }

  public let shape: Shape
  public let element: Element

  public init(_ shape: Shape, _ element: Element = .float) {
    self.shape = shape
    self.element = element
  }

  /// The elements a plan's buffer holds at a batch size: activations have their channels padded, all else is dense.
  public func storageElements(batch: Int) -> Int {
    guard shape.hasBatch else { return shape.elementsPerSample }
    guard !shape.dimensions.isEmpty else { return batch }
    return shape.rows(batch: batch) * paddedChannels(shape.channels)
  }
}
