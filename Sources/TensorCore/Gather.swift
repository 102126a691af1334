/// An axis from which indices, whole numbers from 1, choose elements.
public struct IndexedAxis: Sendable {
  public let extent: Int
  /// Floats from an element to the next.
  public let stride: Int

  public init(extent: Int, stride: Int) {
    self.extent = extent
    self.stride = stride
  }

  /// The offset of the element that an index names; nil for an index out of range, a fraction and NaN.
  @inline(__always)
  public func offset(of index: Float) -> Int? {
    guard index >= 1, index < 0x1p40 else { return nil }
    let position = Int(index)
    return position <= extent && Float(position) == index ? (position - 1) * stride : nil
  }
}

extension Strided {
  /// `result[…, i, …] = source[…, indices[…, i, …], …]` along one axis. The layouts of the source and the indices have
  /// the result's dimensions; the source's has stride 0 along the axis.
  ///
  /// - Returns: the first index that names no element, whose place in the result is left alone; nil when all do.
  public static func gather(
    _ source: UnsafePointer<Float>, _ from: StridedLayout, along axis: IndexedAxis, _ indices: UnsafePointer<Float>,
    _ positions: StridedLayout, result: UnsafeMutablePointer<Float>, _ layout: StridedLayout
  ) -> Float? {
    let length = layout.dimensions.last ?? 1, step = from.strides.last ?? 0
    let indexStep = positions.strides.last ?? 0, resultStep = layout.strides.last ?? 1
    var wrong: Float?
    layout.forEachRow(from, positions) { target, start, place in
      for index in 0..<length {
        let chosen = indices[place + index * indexStep]
        guard let offset = axis.offset(of: chosen) else {
          wrong = wrong ?? chosen
          continue
        }
        result[target + index * resultStep] = source[start + index * step + offset]
      }
    }
    return wrong
  }

  /// `result[…, indices[…, i, …], …] += source[…, i, …]`, in the order of the source: what `gather` is differentiated
  /// into. `to`, the layout of the result, has the source's dimensions and stride 0 along the axis.
  ///
  /// - Returns: the first index that names no element, which is left out; nil when all do.
  public static func scatterAdd(
    _ source: UnsafePointer<Float>, _ layout: StridedLayout, _ indices: UnsafePointer<Float>,
    _ positions: StridedLayout, along axis: IndexedAxis, result: UnsafeMutablePointer<Float>, _ to: StridedLayout
  ) -> Float? {
    let length = layout.dimensions.last ?? 1, step = layout.strides.last ?? 1
    let indexStep = positions.strides.last ?? 0, resultStep = to.strides.last ?? 0
    var wrong: Float?
    layout.forEachRow(to, positions) { start, target, place in
      for index in 0..<length {
        let chosen = indices[place + index * indexStep]
        guard let offset = axis.offset(of: chosen) else {
          wrong = wrong ?? chosen
          continue
        }
        result[target + index * resultStep + offset] += source[start + index * step]
      }
    }
    return wrong
  }
}
