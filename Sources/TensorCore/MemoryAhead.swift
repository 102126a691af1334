import CKernels

/// Memory that a unit of work asks for while it computes: what the next unit reads, and where its own results go. From
/// the third-level cache or main memory it takes as long as much of the computation.
struct MemoryAhead {
  var regions = (nr_ahead(), nr_ahead(), nr_ahead())

  /// The part that one of several kernel calls asks for.
  func part(_ index: Int, of count: Int) -> (nr_ahead, nr_ahead, nr_ahead) {
    func part(_ region: nr_ahead) -> nr_ahead {
      guard let start = region.start else { return region }
      let runs = Int(region.runs), first = runs * index / count, end = runs * (index + 1) / count
      return nr_ahead(
        start: start + first * Int(region.step), runs: Int64(end - first), lines: region.lines, step: region.step)
    }
    return (part(regions.0), part(regions.1), part(regions.2))
  }
}

extension nr_ahead {
  /// Some channels of consecutive pixels; all of them by default.
  init(_ start: UnsafePointer<Float>, pixels: Int, pixelStride: Int, lanes: Range<Int>?) {
    guard let lanes, lanes.count < pixelStride else {
      self.init(start: start, runs: Int64(pixels * pixelStride / 16), lines: 1, step: 16)
      return
    }
    self.init(
      start: start + lanes.lowerBound, runs: Int64(pixels), lines: Int64(lanes.count / 16), step: Int64(pixelStride))
  }
}

extension Convolution.Source {
  /// Rows of consecutive images, as far as they exist, with some of the channels or all.
  func ahead(
    _ shape: ImageShape, images: Range<Int>, rows: Range<Int>, lanes: Range<Int>? = nil
  ) -> (nr_ahead, nr_ahead) {
    let row = shape.w * shape.pixelStride
    let top = max(0, rows.lowerBound), bottom = min(shape.h, rows.upperBound)
    guard top < bottom, images.upperBound <= shape.n else { return (nr_ahead(), nr_ahead()) }
    let first = (images.lowerBound * shape.h + top) * row
    let pixels = (images.count - 1) * shape.h * shape.w + (bottom - top) * shape.w
    func ahead(_ image: UnsafePointer<Float>?) -> nr_ahead {
      image.map { nr_ahead($0 + first, pixels: pixels, pixelStride: shape.pixelStride, lanes: lanes) } ?? nr_ahead()
    }
    return (ahead(job.image), ahead(job.other))
  }
}

extension ConvolutionResults {
  /// The memory of a strip that kernels write.
  func ahead(_ strip: Strip, lanes: Range<Int>? = nil) -> nr_ahead {
    let floats = (strip.rows - 1) * strip.rowStride + strip.columns * strip.columnStride
    return nr_ahead(
      result + strip.offset, pixels: floats / shape.pixelStride, pixelStride: shape.pixelStride, lanes: lanes)
  }
}
