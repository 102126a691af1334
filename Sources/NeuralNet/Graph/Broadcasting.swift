import Diagnostics

extension Shape {
  /// The extents as printed; nil stands for the batch.
  var symbolic: [Int?] { (hasBatch ? [nil] : []) + dimensions }

  /// The shape with these extents, a nil first for the batch; nil when a batch stands elsewhere.
  init?(symbolic extents: [Int?]) {
    guard let first = extents.first, first == nil else {
      let dimensions = extents.compactMap { $0 }
      guard dimensions.count == extents.count else { return nil }
      self = .array(dimensions)
      return
    }
    let dimensions = extents.dropFirst().compactMap { $0 }
    guard dimensions.count == extents.count - 1 else { return nil }
    self = .activation(dimensions)
  }

  /// The shape that two values have together, aligned at the last axis; an axis of extent 1, or a missing one, is
  /// repeated (NumPy's broadcasting). Nil where they don't fit.
  func broadcast(with other: Shape) -> Shape? {
    let a = symbolic, b = other.symbolic, rank = max(a.count, b.count)
    var extents: [Int?] = []
    for axis in 0..<rank {
      let i = axis - (rank - a.count), j = axis - (rank - b.count)
      if i < 0 {
        extents.append(b[j])
      } else if j < 0 {
        extents.append(a[i])
      } else if a[i] == b[j] || b[j] == 1 {
        extents.append(a[i])
      } else if a[i] == 1 {
        extents.append(b[j])
      } else {
        return nil
      }
    }
    return Shape(symbolic: extents)
  }

  /// The position from 0 of an axis as recipes give it: 1 to the rank, or −1 for the last. Nil for one that isn't there.
  public func position(ofAxis axis: Int) -> Int? {
    let position = axis > 0 ? axis - 1 : rank + axis
    return axis != 0 && (0..<rank).contains(position) ? position : nil
  }

  /// The axes, from 0, of `self` along which a value of shape `other` was repeated to give `self`.
  func repeatedAxes(of other: Shape) -> [Int] {
    let a = symbolic, b = other.symbolic, missing = a.count - b.count
    return a.indices.filter { $0 < missing || (b[$0 - missing] == 1 && a[$0] != 1) }
  }
}

extension OpUse {
  /// An axis as a recipe gives it, 1 to the rank or −1 for the last, as a position from 0.
  func axis(_ axis: Int, of shape: Shape) throws -> Int {
    guard shape.rank > 0 else { throw fault("a single number has no axes", expected: "[N] or more axes", got: "[]") }
    guard let position = shape.position(ofAxis: axis) else {
      throw fault(
        "there is no such axis", expected: "1 to \(shape.rank), or -1 for the last, of \(shape)", got: "\(axis)")
    }
    return position
  }

  /// The shape of the first two inputs together.
  func broadcast() throws -> Shape {
    guard let shape = inputs[0].shape.broadcast(with: inputs[1].shape) else {
      throw fault(
        "the shapes don't fit together", expected: "\(inputs[0].shape), or extents of 1 where they differ",
        got: "\(inputs[1].shape)")
    }
    return shape
  }
}

extension GradientSite {
  /// A gradient summed over the axes along which an input was repeated, in the input's shape.
  func reduced(_ gradient: Symbol, to input: Symbol) throws -> Symbol {
    guard gradient.shape != input.shape else { return gradient }
    let axes = gradient.shape.repeatedAxes(of: input.shape)
    let others = gradient.shape.symbolic.enumerated().filter { !axes.contains($0.offset) }.map(\.element)
    if Shape(symbolic: others) == input.shape {
      return try apply(.sum, [gradient], .axes(axes, keeping: false))[0]
    }
    let sum = try apply(.sum, [gradient], .axes(axes, keeping: true))[0]
    return try sum.shape == input.shape ? sum : apply(.reshape, [sum], .dimensions(of: input.shape))[0]
  }
}
