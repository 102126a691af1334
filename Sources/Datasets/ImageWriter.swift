/// Turns images of a set into the network's input, dense `[H, W, C]` floats.
struct ImageWriter: Sendable {
  let set: ImageSet
  /// `table[intensity * channels + channel]`.
  private let table: [Float]
  /// For a table: writes instead of this.
  let rows: RowWriter?

  init(_ set: ImageSet, _ normalisation: Normalisation) {
    self.set = set
    rows = set.table.map { RowWriter(table: $0, normalisation: normalisation) }
    table = rows == nil ? normalisation.table : []
  }

  /// Writes image `index` of the set as it is.
  func write(_ index: Int, to output: UnsafeMutablePointer<Float>) {
    write(index, Augmentation.Placement(), to: output)
  }

  /// Writes image `index` of the set, moved, mirrored and with a hole.
  func write(_ index: Int, _ placement: Augmentation.Placement, to output: UnsafeMutablePointer<Float>) {
    if let rows {
      rows.write(index, to: output)
      return
    }
    set.withPixels { pixels in
      table.withUnsafeBufferPointer { table in
        let image = pixels.baseAddress! + index * set.imageSize
        for y in 0..<set.height {
          writeRow(y, of: image, placement, table.baseAddress!, to: output + y * set.width * set.channels)
        }
      }
    }
    cut(placement.hole, from: output)
  }

  @inline(__always)
  private func writeRow(
    _ y: Int, of image: UnsafePointer<UInt8>, _ placement: Augmentation.Placement, _ table: UnsafePointer<Float>,
    to output: UnsafeMutablePointer<Float>
  ) {
    let width = set.width, channels = set.channels, sourceY = y + placement.top
    let isInside = sourceY >= 0 && sourceY < set.height
    var output = output
    for x in 0..<width {
      let moved = x + placement.left
      if isInside, moved >= 0, moved < width {
        let sourceX = placement.mirrored ? width - 1 - moved : moved
        let pixel = image + (sourceY * width + sourceX) * channels
        for channel in 0..<channels { output[channel] = table[Int(pixel[channel]) * channels + channel] }
      } else {
        for channel in 0..<channels { output[channel] = table[channel] }
      }
      output += channels
    }
  }

  private func cut(_ hole: (rows: Range<Int>, columns: Range<Int>), from output: UnsafeMutablePointer<Float>) {
    for y in hole.rows {
      let row = output + (y * set.width + hole.columns.lowerBound) * set.channels
      row.update(repeating: 0, count: hole.columns.count * set.channels)
    }
  }
}
