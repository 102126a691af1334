import CKernels

// Pooling of one image [height][width][pixel]. Positions outside of the image are never read: each output position
// first cuts its window down to the part inside.

/// The part of a window inside of the image, on one axis.
private struct WindowAxis {
  /// Position of tap 0, taps inside.
  var start: Int, first: Int, end: Int

  @inline(__always)
  init(_ output: Int, stride: Int64, padding: Int64, dilation: Int64, kernel: Int64, size: Int64) {
    start = output &* Int(stride) &- Int(padding)
    if dilation == 1 {
      first = max(0, 0 &- start)
      end = max(first, min(Int(kernel), Int(size) &- start))
    } else {
      let step = Int(dilation)
      first = start < 0 ? (step &- 1 &- start) / step : 0
      end = max(first, Int(size) > start ? min(Int(kernel), (Int(size) &- start &+ step &- 1) / step) : 0)
    }
  }
}

/// The part of a window inside of the image.
private struct Window {
  var y: WindowAxis, x: WindowAxis
  /// Floats from a row of taps to the next, and from a tap to the next.
  let rowStep: Int, columnStep: Int
  private let width: Int, pixel: Int

  @inline(__always)
  init(_ job: nr_pool_job, row: Int) {
    y = WindowAxis(
      row, stride: job.stride_height, padding: job.padding_height, dilation: job.dilation_height,
      kernel: job.kernel_height, size: job.height)
    x = y
    width = Int(job.width)
    pixel = Int(job.pixel)
    rowStep = Int(job.dilation_height) &* width &* pixel
    columnStep = Int(job.dilation_width) &* pixel
  }

  @inline(__always)
  mutating func move(_ job: nr_pool_job, toColumn column: Int) {
    x = WindowAxis(
      column, stride: job.stride_width, padding: job.padding_width, dilation: job.dilation_width,
      kernel: job.kernel_width, size: job.width)
  }

  /// Where in the image the first tap inside lies, in floats.
  @inline(__always)
  var origin: Int { (y.start &* width &+ x.start) &* pixel &+ y.first &* rowStep &+ x.first &* columnStep }

  /// What average pooling multiplies the sum by: the inverse of the size of the window.
  @inline(__always)
  func share(_ job: nr_pool_job) -> Float {
    let inside = (y.end &- y.first) &* (x.end &- x.first)
    let size = job.count_padding != 0 ? Int(job.kernel_height &* job.kernel_width) : inside
    return size > 0 ? 1 / Float(size) : 0
  }
}

/// Calls `body(window, input or gradient position, output position)` for each output position.
@inline(__always)
private func forEachWindow(_ job: nr_pool_job, _ body: (_ window: Window, _ image: Int, _ output: Int) -> Void) {
  var output = 0
  for row in 0..<Int(job.output_height) {
    var window = Window(job, row: row)
    for column in 0..<Int(job.output_width) {
      window.move(job, toColumn: column)
      body(window, window.origin, output)
      output &+= Int(job.pixel)
    }
  }
}

func maxPool(_ pointer: UnsafePointer<nr_pool_job>) {
  let job = pointer.pointee
  let pixel = Int(job.pixel), kernelWidth = Int(job.kernel_width)
  let input = job.input!, output = job.output!, argmax = job.argmax!
  forEachWindow(job) { window, image, target in
    var c = 0
    while c < pixel {
      var best = load(input + (image &+ c))
      var position = tapNumber(window.y.first &* kernelWidth &+ window.x.first)
      var row = input + (image &+ c)
      for tapY in window.y.first..<window.y.end {
        var value = row
        for tapX in window.x.first..<window.x.end {
          let x = load(value)
          let better = (x .> best) .| (x .!= x)
          best = best.replacing(with: x, where: better)
          position = position.replacing(with: tapNumber(tapY &* kernelWidth &+ tapX), where: better)
          value += window.columnStep
        }
        row += window.rowStep
      }
      store(best, output + (target &+ c))
      UnsafeMutableRawPointer(argmax + (target &+ c)).storeBytes(of: position, as: SIMD16<Int32>.self)
      c &+= 16
    }
  }
}

@inline(__always)
private func tapNumber(_ tap: Int) -> SIMD16<Int32> { SIMD16(repeating: Int32(truncatingIfNeeded: tap)) }

func maxPoolGradient(_ pointer: UnsafePointer<nr_pool_job>) {
  let job = pointer.pointee
  let pixel = Int(job.pixel), kernelWidth = Int(job.kernel_width)
  let gradient = job.input!, result = job.output!, argmax = job.argmax!
  fill(0, result, job.height &* job.width &* job.pixel)
  forEachWindow(job) { window, image, source in
    var c = 0
    while c < pixel {
      let g = load(gradient + (source &+ c))
      let position = UnsafeRawPointer(argmax + (source &+ c)).loadUnaligned(as: SIMD16<Int32>.self)
      var row = result + (image &+ c)
      for tapY in window.y.first..<window.y.end {
        var target = row
        for tapX in window.x.first..<window.x.end {
          let chosen = position .== tapNumber(tapY &* kernelWidth &+ tapX)
          store(load(target) + Lanes(repeating: 0).replacing(with: g, where: chosen), target)
          target += window.columnStep
        }
        row += window.rowStep
      }
      c &+= 16
    }
  }
}

func averagePool(_ pointer: UnsafePointer<nr_pool_job>) {
  let job = pointer.pointee
  let pixel = Int(job.pixel)
  let input = job.input!, output = job.output!
  forEachWindow(job) { window, image, target in
    let share = Lanes(repeating: window.share(job))
    var c = 0
    while c < pixel {
      var total = Lanes(repeating: 0)
      var row = input + (image &+ c)
      for _ in window.y.first..<window.y.end {
        var value = row
        for _ in window.x.first..<window.x.end {
          total += load(value)
          value += window.columnStep
        }
        row += window.rowStep
      }
      store(total * share, output + (target &+ c))
      c &+= 16
    }
  }
}

func averagePoolGradient(_ pointer: UnsafePointer<nr_pool_job>) {
  let job = pointer.pointee
  let pixel = Int(job.pixel)
  let gradient = job.input!, result = job.output!
  fill(0, result, job.height &* job.width &* job.pixel)
  forEachWindow(job) { window, image, source in
    let share = Lanes(repeating: window.share(job))
    var c = 0
    while c < pixel {
      let g = load(gradient + (source &+ c)) * share
      var row = result + (image &+ c)
      for _ in window.y.first..<window.y.end {
        var target = row
        for _ in window.x.first..<window.x.end {
          store(load(target) + g, target)
          target += window.columnStep
        }
        row += window.rowStep
      }
      c &+= 16
    }
  }
}
