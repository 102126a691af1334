import TensorCore

/// The elements of a value as rows of channels, the last dimension, with the lanes between the rows: what simple kernels
/// loop over.
struct Grid {
  let rows: Int
  let channels: Int
  /// The floats from a row to the next.
  let stride: Int

  init(_ site: KernelSite, _ type: ValueType) {
    rows = site.rows(type)
    channels = type.shape.channels
    stride = type.shape.rowStride
  }

  /// Writes every element, and zeros into the lanes.
  @inline(__always)
  func fill(_ result: UnsafeMutablePointer<Float>, _ value: (_ row: Int, _ channel: Int, _ index: Int) -> Float) {
    for row in 0..<rows {
      let start = row * stride
      for channel in 0..<channels { result[start + channel] = value(row, channel, start + channel) }
      for lane in channels..<stride { result[start + lane] = 0 }
    }
  }
}
