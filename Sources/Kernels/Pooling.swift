import CKernels

// Pooling of one image [height][width][pixel]. Positions outside of the image are never read: each output position
// first cuts its window down to the part inside.

/// The part of a window inside of the image, on one axis.
private struct WindowAxis {
  /// Position of tap 0, taps inside.
  var start: Int, first: Int, end: Int
  var count: Int { end &- first }

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

  /// The most frequent window, for which the loops over taps are unrolled.
  @inline(__always)
  var isThreeByThree: Bool { y.count == 3 && x.count == 3 }

  /// What average pooling multiplies the sum by: the inverse of the size of the window.
  @inline(__always)
  func share(_ job: nr_pool_job) -> Float {
    let inside = y.count &* x.count
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

/// The largest value of a window so far, and its place.
private struct Maximum {
  var best: Lanes, position: SIMD16<Int32>

  @inline(__always)
  mutating func take(_ window: Window, _ image: UnsafePointer<Float>, kernelWidth: Int, rows: Int, columns: Int) {
    for row in 0..<rows {
      for column in 0..<columns {
        let x = load(image + (row &* window.rowStep &+ column &* window.columnStep))
        let better = (x .> best) .| (x .!= x)
        let tap = (window.y.first &+ row) &* kernelWidth &+ window.x.first &+ column
        best = best.replacing(with: x, where: better)
        position = position.replacing(with: tapNumber(tap), where: better)
      }
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
      let origin = input + (image &+ c)
      var maximum = Maximum(
        best: load(origin), position: tapNumber(window.y.first &* kernelWidth &+ window.x.first))
      if window.isThreeByThree {
        maximum.take(window, origin, kernelWidth: kernelWidth, rows: 3, columns: 3)
      } else {
        maximum.take(window, origin, kernelWidth: kernelWidth, rows: window.y.count, columns: window.x.count)
      }
      store(maximum.best, output + (target &+ c))
      UnsafeMutableRawPointer(argmax + (target &+ c)).storeBytes(of: maximum.position, as: SIMD16<Int32>.self)
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

/// The sum of some rows and columns of pixels, row by row.
@inline(__always)
private func windowSum(
  _ origin: UnsafePointer<Float>, rows: Int, columns: Int, rowStep: Int, columnStep: Int
) -> Lanes {
  var total = Lanes(repeating: 0)
  for row in 0..<rows {
    for column in 0..<columns { total += load(origin + (row &* rowStep &+ column &* columnStep)) }
  }
  return total
}

func averagePool(_ pointer: UnsafePointer<nr_pool_job>) {
  let job = pointer.pointee
  if BoxRow.fits(job) { return boxSums(job) }
  let pixel = Int(job.pixel)
  let input = job.input!, output = job.output!
  forEachWindow(job) { window, image, target in
    let share = Lanes(repeating: window.share(job))
    let rowStep = window.rowStep, columnStep = window.columnStep
    var c = 0
    while c < pixel {
      let origin = input + (image &+ c)
      let total =
        window.isThreeByThree
        ? windowSum(origin, rows: 3, columns: 3, rowStep: rowStep, columnStep: columnStep)
        : windowSum(
          origin, rows: window.y.count, columns: window.x.count, rowStep: rowStep, columnStep: columnStep)
      store(total * share, output + (target &+ c))
      c &+= 16
    }
  }
}

func averagePoolGradient(_ pointer: UnsafePointer<nr_pool_job>) {
  let job = pointer.pointee
  if BoxRow.fits(job) { return boxGradientSums(job) }
  fill(0, job.output!, job.height &* job.width &* job.pixel)
  if job.stride_width == 1 && job.dilation_width == 1 {
    averageGradientByColumns(job)
  } else {
    averageGradientByWindows(job)
  }
}

/// Adds each output's share to the pixels of its window.
@inline(never)
private func averageGradientByWindows(_ job: nr_pool_job) {
  let pixel = Int(job.pixel)
  let gradient = job.input!, result = job.output!
  forEachWindow(job) { window, image, source in
    let share = Lanes(repeating: window.share(job))
    var c = 0
    while c < pixel {
      let g = load(gradient + (source &+ c)) * share
      for row in 0..<window.y.count {
        for column in 0..<window.x.count {
          let target = result + (image &+ c &+ row &* window.rowStep &+ column &* window.columnStep)
          store(load(target) + g, target)
        }
      }
      c &+= 16
    }
  }
}

/// The outputs whose windows hold one input column, when windows move by one column.
private struct CoveringOutputs {
  var first: Int, count: Int
  /// All of them share the same factor.
  var isUniform: Bool

  @inline(__always)
  init(_ job: nr_pool_job, column: Int) {
    let padding = Int(job.padding_width), kernel = Int(job.kernel_width)
    first = max(0, column &+ padding &- kernel &+ 1)
    let last = min(Int(job.output_width) &- 1, column &+ padding)
    count = last &- first &+ 1
    isUniform = job.count_padding != 0 || (first >= padding && last &- padding &+ kernel <= Int(job.width))
  }
}

/// For each row of outputs: sums for each input column the outputs that cover it, then adds that sum to the rows of the
/// window. Neighbouring sums don't wait for each other, as neighbouring windows would.
@inline(never)
private func averageGradientByColumns(_ job: nr_pool_job) {
  let pixel = Int(job.pixel)
  for outputRow in 0..<Int(job.output_height) {
    var window = Window(job, row: outputRow)
    let gradient = job.input! + outputRow &* Int(job.output_width) &* pixel
    let result = job.output! + (window.y.start &* Int(job.width) &* pixel &+ window.y.first &* window.rowStep)
    let rows = job.count_padding != 0 ? Int(job.kernel_height) : window.y.count
    let share = Lanes(repeating: 1 / Float(max(1, rows &* Int(job.kernel_width))))
    for column in 0..<Int(job.width) {
      let covering = CoveringOutputs(job, column: column)
      var c = 0
      while c < pixel {
        let origin = gradient + (covering.first &* pixel &+ c)
        var total = Lanes(repeating: 0)
        if covering.isUniform && covering.count == 3 {
          total = windowSum(origin, rows: 1, columns: 3, rowStep: 0, columnStep: pixel) * share
        } else if covering.isUniform {
          total = windowSum(origin, rows: 1, columns: covering.count, rowStep: 0, columnStep: pixel) * share
        } else {
          for output in 0..<max(0, covering.count) {
            window.move(job, toColumn: covering.first &+ output)
            total += load(origin + output &* pixel) * Lanes(repeating: window.share(job))
          }
        }
        for row in 0..<window.y.count {
          let target = result + (column &* pixel &+ c &+ row &* window.rowStep)
          store(load(target) + total, target)
        }
        c &+= 16
      }
    }
  }
}

// 3×3 windows that move by one pixel over a border of one: the gradient is the same sum as the mean, with the shares
// taken before it. Sums of columns are shared by the three windows that hold them.

/// The rows of pixels that the windows around one row hold.
private struct BoxRow {
  let first: Int, count: Int
  let width: Int, pixel: Int
  private let height: Int, countsPadding: Bool

  @inline(__always)
  static func fits(_ job: nr_pool_job) -> Bool {
    job.kernel_height == 3 && job.kernel_width == 3 && job.stride_height == 1 && job.stride_width == 1
      && job.padding_height == 1 && job.padding_width == 1 && job.dilation_height == 1 && job.dilation_width == 1
  }

  @inline(__always)
  init(_ job: nr_pool_job, row: Int) {
    (height, width, pixel) = (Int(job.height), Int(job.width), Int(job.pixel))
    countsPadding = job.count_padding != 0
    first = max(0, row &- 1)
    count = min(height, row &+ 2) &- first
  }

  /// How many of three positions around one lie inside.
  @inline(__always)
  private func inside(_ position: Int, _ size: Int) -> Int {
    1 &+ (position > 0 ? 1 : 0) &+ (position < size &- 1 ? 1 : 0)
  }

  /// The share of one pixel in the mean of the window around a position.
  @inline(__always)
  func share(row: Int, column: Int) -> Float {
    countsPadding ? 1.0 / 9 : 1 / Float(inside(row, height) &* inside(column, width))
  }
}

/// Windows sum pixels, then share.
@inline(never)
private func boxSums(_ job: nr_pool_job) {
  for row in 0..<Int(job.height) {
    let box = BoxRow(job, row: row), width = box.width, pixel = box.pixel
    let edge = Lanes(repeating: box.share(row: row, column: 0))
    let inner = Lanes(repeating: box.share(row: row, column: width > 2 ? 1 : 0))
    let source = job.input! + box.first &* width &* pixel, target = job.output! + row &* width &* pixel
    slide(width, pixel, target) { column, c in
      let origin = source + (column &* pixel &+ c), step = width &* pixel
      return box.count == 3
        ? windowSum(origin, rows: 3, columns: 1, rowStep: step, columnStep: 0)
        : windowSum(origin, rows: box.count, columns: 1, rowStep: step, columnStep: 0)
    } finish: { total, column in
      total * (column == 0 || column == width &- 1 ? edge : inner)
    }
  }
}

/// Pixels share, then windows sum.
@inline(never)
private func boxGradientSums(_ job: nr_pool_job) {
  for row in 0..<Int(job.height) {
    let box = BoxRow(job, row: row), width = box.width, pixel = box.pixel, step = width &* pixel
    let inner = width > 2 ? 1 : 0
    // For each row of the window, the share of its pixels at the edge and inside; a row outside has none.
    let edges = InlineArray<3, Float> { $0 < box.count ? box.share(row: box.first &+ $0, column: 0) : 0 }
    let inners = InlineArray<3, Float> { $0 < box.count ? box.share(row: box.first &+ $0, column: inner) : 0 }
    let source = job.input! + box.first &* step, target = job.output! + row &* step
    slide(width, pixel, target) { column, c in
      let origin = source + (column &* pixel &+ c), isEdge = column == 0 || column == width &- 1
      var total = load(origin) * Lanes(repeating: isEdge ? edges[0] : inners[0])
      for k in 1..<max(1, box.count) {
        total = fused(load(origin + k &* step), Lanes(repeating: isEdge ? edges[k] : inners[k]), total)
      }
      return total
    } finish: { total, _ in
      total
    }
  }
}

/// Writes for each pixel of a row what `finish` makes of the sum of three neighbouring columns.
@inline(__always)
private func slide(
  _ width: Int, _ pixel: Int, _ target: UnsafeMutablePointer<Float>, column: (_ column: Int, _ c: Int) -> Lanes,
  finish: (_ total: Lanes, _ column: Int) -> Lanes
) {
  let zero = Lanes(repeating: 0)
  var c = 0
  while c < pixel {
    var before = zero, here = column(0, c)
    for x in 0..<width {
      let next = x &+ 1 < width ? column(x &+ 1, c) : zero
      store(finish((before + here) + next, x), target + (x &* pixel &+ c))
      before = here
      here = next
    }
    c &+= 16
  }
}
