/// Where the elements of an array of any rank lie in memory.
public struct StridedLayout: Hashable, Sendable {
  /// The extents, outermost first.
  public let dimensions: [Int]
  /// Floats from an element to the next along each axis; 0 along an axis that is repeated.
  public let strides: [Int]

  public init(dimensions: [Int], strides: [Int]) {
    self.dimensions = dimensions
    self.strides = strides
  }

  /// Row-major; with `paddedChannels`, rows start on whole vectors.
  public init(_ dimensions: [Int], paddingChannels: Bool) {
    var strides = [Int](repeating: 1, count: dimensions.count), stride = 1
    for axis in dimensions.indices.reversed() {
      strides[axis] = stride
      let isLast = axis == dimensions.count - 1
      stride *= isLast && paddingChannels ? paddedChannels(dimensions[axis]) : dimensions[axis]
    }
    self.init(dimensions: dimensions, strides: strides)
  }

  /// The number of elements.
  public var count: Int { dimensions.reduce(1, *) }

  /// The same array repeated to other dimensions, aligned at the last axis: an axis that is missing or has extent 1 is
  /// repeated (NumPy's broadcasting).
  public func broadcast(to target: [Int]) -> StridedLayout {
    let missing = target.count - dimensions.count
    return StridedLayout(
      dimensions: target,
      strides: target.indices.map { axis in
        guard axis >= missing, dimensions[axis - missing] == target[axis] || target[axis] == 1 else { return 0 }
        return dimensions[axis - missing] == 1 && target[axis] != 1 ? 0 : strides[axis - missing]
      })
  }

  /// The same elements with the axes in another order.
  public func permuted(_ order: [Int]) -> StridedLayout {
    StridedLayout(dimensions: order.map { dimensions[$0] }, strides: order.map { strides[$0] })
  }

  /// The same strides over other extents: a block of the array.
  public func block(_ dimensions: [Int]) -> StridedLayout { StridedLayout(dimensions: dimensions, strides: strides) }

  /// The offset of an element.
  public func offset(of index: [Int]) -> Int { zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 } }

  /// Calls the body for each row of the last axis, with the offsets of its start in this layout and in two others of the
  /// same dimensions, in order.
  func forEachRow(_ second: StridedLayout, _ third: StridedLayout, _ body: (Int, Int, Int) -> Void) {
    let rank = dimensions.count
    guard rank > 1 else { return count > 0 ? body(0, 0, 0) : () }
    if rank == 2 {
      for row in 0..<dimensions[0] { body(row * strides[0], row * second.strides[0], row * third.strides[0]) }
      return
    }
    var index = [Int](repeating: 0, count: rank - 1), a = 0, b = 0, c = 0
    for _ in 0..<dimensions.dropLast().reduce(1, *) {
      body(a, b, c)
      var axis = rank - 2
      while axis >= 0 {
        index[axis] += 1
        (a, b, c) = (a + strides[axis], b + second.strides[axis], c + third.strides[axis])
        if index[axis] < dimensions[axis] { break }
        let extent = dimensions[axis]
        (a, b, c) = (a - extent * strides[axis], b - extent * second.strides[axis], c - extent * third.strides[axis])
        index[axis] = 0
        axis -= 1
      }
    }
  }
}
