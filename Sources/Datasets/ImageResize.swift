/// Cutting and scaling of pictures in integer arithmetic: the same bits on every machine.
extension Picture {
  /// The picture at a new size: its largest centred part of the new proportions, scaled.
  func fitted(height newHeight: Int, width newWidth: Int) -> Picture {
    var part = (height: height, width: width)
    if height * newWidth > width * newHeight {
      part.height = max(1, (2 * width * newHeight + newWidth) / (2 * newWidth))
    } else {
      part.width = max(1, (2 * height * newWidth + newHeight) / (2 * newHeight))
    }
    let top = (height - part.height) / 2, left = (width - part.width) / 2
    return cut(top, left, part.height, part.width).scaled(height: newHeight, width: newWidth)
  }

  /// Grey by the luma of ITU-R BT.601, rounded: (299 R + 587 G + 114 B) / 1000.
  func grey() -> Picture {
    guard channels == 3 else { return self }
    let values = stride(from: 0, to: pixels.count, by: 3).map { start -> UInt8 in
      let sum = 299 * Int(pixels[start]) + 587 * Int(pixels[start + 1]) + 114 * Int(pixels[start + 2])
      return UInt8((sum + 500) / 1000)
    }
    return Picture(height: height, width: width, channels: 1, pixels: values)
  }

  private func cut(_ top: Int, _ left: Int, _ rows: Int, _ columns: Int) -> Picture {
    guard (rows, columns) != (height, width) else { return self }
    var result: [UInt8] = []
    result.reserveCapacity(rows * columns * channels)
    for y in top..<top + rows {
      let start = (y * width + left) * channels
      result += pixels[start..<start + columns * channels]
    }
    return Picture(height: rows, width: columns, channels: channels, pixels: result)
  }

  /// Scaling by triangles as wide as two source or two result pixels, whichever is more: bilinear enlarging, and
  /// reducing without aliasing. Columns first, then rows, rounded to bytes between; fixed point with 22 bits. These are
  /// the sums of Pillow's `Image.resize(…, BILINEAR)`.
  func scaled(height newHeight: Int, width newWidth: Int) -> Picture {
    var result = self
    if newWidth != width { result = result.resampled(Taps(from: width, to: newWidth), alongRows: true) }
    if newHeight != height { result = result.resampled(Taps(from: height, to: newHeight), alongRows: false) }
    return result
  }

  private func resampled(_ taps: Taps, alongRows: Bool) -> Picture {
    let size = (height: alongRows ? height : taps.count, width: alongRows ? taps.count : width)
    let step = alongRows ? channels : width * channels
    var result = Picture(
      height: size.height, width: size.width, channels: channels,
      pixels: [UInt8](repeating: 0, count: size.height * size.width * channels))
    pixels.withUnsafeBufferPointer { source in
      result.pixels.withUnsafeMutableBufferPointer { target in
        for y in 0..<size.height {
          for x in 0..<size.width {
            let place = alongRows ? x : y
            let first = (alongRows ? y * width * channels : x * channels) + taps.starts[place] * step
            for channel in 0..<channels {
              var sum = Taps.half, offset = first + channel
              for weight in taps.weights[place] {
                sum += Int(source[offset]) * weight
                offset += step
              }
              target[(y * size.width + x) * channels + channel] = UInt8(clamping: sum >> Taps.bits)
            }
          }
        }
      }
    }
    return result
  }
}

/// Which source pixels make each result pixel along one axis, and with which weights of 22 bits.
private struct Taps {
  static let bits = 22
  static let half = 1 << (bits - 1)
  var starts: [Int] = []
  var weights: [[Int]] = []

  var count: Int { starts.count }

  init(from size: Int, to newSize: Int) {
    let scale = Double(size) / Double(newSize), support = max(scale, 1)
    for index in 0..<newSize {
      let centre = (Double(index) + 0.5) * scale
      let first = max(0, Int(centre - support + 0.5)), end = min(size, Int(centre + support + 0.5))
      let heights = (first..<end).map { max(0, 1 - abs((Double($0) - centre + 0.5) / support)) }
      let sum = heights.reduce(0, +)
      starts.append(first)
      weights.append(heights.map { Int(0.5 + $0 / sum * Double(1 << Self.bits)) })
    }
  }
}
