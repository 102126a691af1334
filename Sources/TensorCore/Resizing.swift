/// Where the elements of a resized axis come from, with the conventions of PyTorch's `interpolate`.
public struct AxisSampling: Hashable, Sendable {
  /// How values between elements are made.
  public enum Method: String, CaseIterable, Sendable {
    /// The element at `⌊i · step⌋`.
    case nearest
    /// The two elements beside, by their distances.
    case bilinear
  }

  /// One element of the result: `(1 − weight) · x[low] + weight · x[high]`.
  public struct Tap: Hashable, Sendable {
    public let low: Int
    public let high: Int
    public let weight: Float
  }

  public let taps: [Tap]

  /// Samples `count` elements from `extent`.
  ///
  /// - Parameters:
  ///   - step: elements of the input per element of the result; `extent / count`, or 1 over a factor that was given.
  ///   - alignsCorners: for `bilinear`, whether the first and the last elements of both lie on each other; otherwise the
  ///     outer edges of the elements do.
  public init(_ method: Method, extent: Int, count: Int, step: Double, alignsCorners: Bool) {
    let cornerStep = count > 1 ? Double(extent - 1) / Double(count - 1) : 0
    taps = (0..<count).map { index in
      switch method {
      case .nearest:
        let element = Self.nearest(index, extent: extent, count: count, step: step)
        return Tap(low: element, high: element, weight: 0)
      case .bilinear:
        let place = alignsCorners ? Double(index) * cornerStep : max(0, (Double(index) + 0.5) * step - 0.5)
        let low = min(extent - 1, Int(place))
        return Tap(low: low, high: min(extent - 1, low + 1), weight: Float(min(1, place - Double(low))))
      }
    }
  }

  /// The element nearest to an index: in single precision, which decides where `index · step` is next to a whole number,
  /// and with the same or twice the size whatever the step.
  private static func nearest(_ index: Int, extent: Int, count: Int, step: Double) -> Int {
    if count == extent { return index }
    if count == 2 * extent { return index / 2 }
    return min(extent - 1, Int(Float(index) * Float(step)))
  }
}

/// Images at another height and width.
public struct Resizing: Sendable {
  private let input: ImageShape, output: ImageShape
  private let rows: AxisSampling, columns: AxisSampling
  /// Whether elements are only copied, not mixed.
  private let copies: Bool

  /// Images of one shape from those of another; `method` is that of both samplings.
  public init(
    from input: ImageShape, to output: ImageShape, rows: AxisSampling, columns: AxisSampling,
    method: AxisSampling.Method
  ) {
    self.input = input
    self.output = output
    self.rows = rows
    self.columns = columns
    copies = method == .nearest
  }

  /// result = the resized images.
  public func resize(_ image: UnsafePointer<Float>, result: UnsafeMutablePointer<Float>, compute: Compute) {
    let width = output.pixelStride
    forEachRow(compute) { upper, lower, tap, line in
      for (x, column) in columns.taps.enumerated() {
        let a = image + upper + column.low * width, b = image + upper + column.high * width
        let c = image + lower + column.low * width, d = image + lower + column.high * width
        let pixel = result + line + x * width
        if copies {
          pixel.update(from: a, count: width)
          continue
        }
        let (right, left) = (column.weight, 1 - column.weight), (down, up) = (tap.weight, 1 - tap.weight)
        for lane in 0..<width {
          pixel[lane] = up * (left * a[lane] + right * b[lane]) + down * (left * c[lane] + right * d[lane])
        }
      }
    }
  }

  /// gradient = for each pixel of the input the sum of the gradients of what was made of it, row by row of the result.
  public func gradient(
    _ resultGradient: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    gradient.update(repeating: 0, count: input.floats)
    let width = output.pixelStride
    forEachRow(compute) { upper, lower, tap, line in
      for (x, column) in columns.taps.enumerated() {
        let pixel = resultGradient + line + x * width
        let (right, left) = (column.weight, 1 - column.weight), (down, up) = (tap.weight, 1 - tap.weight)
        add(pixel, times: up * left, to: gradient + upper + column.low * width)
        if copies { continue }
        add(pixel, times: up * right, to: gradient + upper + column.high * width)
        add(pixel, times: down * left, to: gradient + lower + column.low * width)
        add(pixel, times: down * right, to: gradient + lower + column.high * width)
      }
    }
  }

  private func add(_ pixel: UnsafePointer<Float>, times weight: Float, to sum: UnsafeMutablePointer<Float>) {
    for lane in 0..<output.pixelStride { sum[lane] += weight * pixel[lane] }
  }

  /// Calls the body for each row of the result: the offsets of the two rows of the input that it mixes, how, and its own
  /// offset. One image is one chunk, so that sums over an image have one order.
  private func forEachRow(_ compute: Compute, _ body: (Int, Int, AxisSampling.Tap, Int) -> Void) {
    let inputRow = input.w * input.pixelStride, outputRow = output.w * output.pixelStride
    compute.forEachChunk(input.n) { n, _ in
      for (y, tap) in rows.taps.enumerated() {
        let first = n * input.h
        body((first + tap.low) * inputRow, (first + tap.high) * inputRow, tap, (n * output.h + y) * outputRow)
      }
    }
  }
}
