import CKernels

/// Memory that a unit of work asks for while it computes: what the next unit reads, and where its own results go. From
/// the third-level cache or main memory it takes as long as much of the computation.
struct MemoryAhead {
  var regions = (nr_ahead(), nr_ahead(), nr_ahead())

  /// The part that one of several kernel calls asks for.
  func part(_ index: Int, of count: Int) -> (nr_ahead, nr_ahead, nr_ahead) {
    func part(_ region: nr_ahead) -> nr_ahead {
      guard let start = region.start else { return region }
      let lines = (Int(region.floats) + 15) / 16
      let first = lines * index / count, end = lines * (index + 1) / count
      return nr_ahead(start: start + first * 16, floats: Int64((end - first) * 16))
    }
    return (part(regions.0), part(regions.1), part(regions.2))
  }
}

extension Convolution.Source {
  /// Rows of consecutive images, as far as they exist.
  func ahead(_ shape: ImageShape, images: Range<Int>, rows: Range<Int>) -> (nr_ahead, nr_ahead) {
    let row = shape.w * shape.pixelStride
    let top = max(0, rows.lowerBound), bottom = min(shape.h, rows.upperBound)
    guard top < bottom, images.upperBound <= shape.n else { return (nr_ahead(), nr_ahead()) }
    let first = (images.lowerBound * shape.h + top) * row
    let count = (images.count - 1) * shape.h * row + (bottom - top) * row
    func ahead(_ image: UnsafePointer<Float>?) -> nr_ahead {
      image.map { nr_ahead(start: $0 + first, floats: Int64(count)) } ?? nr_ahead()
    }
    return (ahead(job.image), ahead(job.other))
  }
}

extension ConvolutionResults {
  /// The memory of a strip that kernels write.
  func ahead(_ strip: Strip) -> nr_ahead {
    let floats = (strip.rows - 1) * strip.rowStride + strip.columns * strip.columnStride
    return nr_ahead(start: result + strip.offset, floats: Int64(floats))
  }
}
