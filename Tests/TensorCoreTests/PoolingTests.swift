import TensorCore
import TestSupport
import Testing

/// A pooling by its numbers.
struct PoolCase: CustomTestStringConvertible, Sendable {
  var n = 2, h = 7, w = 6, c = 17, k = 3, s = 1, p = 1, d = 1

  func geometry() throws -> PoolingGeometry {
    try PoolingGeometry(
      batch: n, inputHeight: h, inputWidth: w, channels: c, kernel: Extent(k), stride: Extent(s), padding: Extent(p),
      dilation: Extent(d))
  }

  var testDescription: String { "n\(n) \(h)x\(w)x\(c) k\(k) s\(s) p\(p) d\(d)" }

  static let all: [PoolCase] = [
    PoolCase(), PoolCase(n: 1, h: 1, w: 1, c: 1), PoolCase(h: 9, w: 8, c: 3, s: 2),
    PoolCase(h: 8, w: 8, k: 2, s: 2, p: 0),
    PoolCase(n: 3, h: 10, w: 11, c: 40, k: 2, s: 3, p: 1), PoolCase(h: 11, w: 9, c: 7, k: 3, s: 2, p: 1, d: 2),
    PoolCase(n: 1, h: 12, w: 1, c: 16, k: 5, s: 1, p: 2), PoolCase(n: 1, h: 20, w: 20, c: 3, k: 20, s: 1, p: 0),
  ]
}

@Suite struct PoolingTests {
  /// Windows by definition: for each dense output index the dense input indices and their places in the window.
  private func windows(_ g: PoolingGeometry) -> [[(input: Int, place: Int)]] {
    var all: [[(Int, Int)]] = []
    for n in 0..<g.batch {
      for oy in 0..<g.outputHeight {
        for ox in 0..<g.outputWidth {
          for c in 0..<g.channels {
            var window: [(Int, Int)] = []
            for place in 0..<g.kernel.height * g.kernel.width {
              let y = oy * g.stride.height - g.padding.height + place / g.kernel.width * g.dilation.height
              let x = ox * g.stride.width - g.padding.width + place % g.kernel.width * g.dilation.width
              guard y >= 0, y < g.inputHeight, x >= 0, x < g.inputWidth else { continue }
              window.append((((n * g.inputHeight + y) * g.inputWidth + x) * g.channels + c, place))
            }
            all.append(window)
          }
        }
      }
    }
    return all
  }

  @Test("Maximum and its gradient", arguments: PoolCase.all)
  func maximum(_ example: PoolCase) throws {
    let g = try example.geometry(), windows = windows(g)
    let input = randomDoubles(g.input.rows * g.channels, "x"), gradient = randomDoubles(windows.count, "dy")
    let best = windows.map { window in window.max { input[$0.input] < input[$1.input] }!.input }
    var back = [Double](repeating: 0, count: input.count)
    for (index, winner) in best.enumerated() { back[winner] += gradient[index] }
    try expectAgreement(best.map { input[$0] } + back) { compute in
      let x = padded(input, channels: g.channels), dy = padded(gradient, channels: g.channels)
      let y = GuardedBuffer(count: g.output.floats), dx = GuardedBuffer(count: g.input.floats)
      let positions = GuardedBuffer(count: g.output.floats)
      positions.pointer.withMemoryRebound(to: Int32.self, capacity: positions.count) { argmax in
        Pooling.maximum(g, input: x.pointer, output: y.pointer, argmax: argmax, compute: compute)
        Pooling.maximumBackward(
          g, outputGradient: dy.pointer, argmax: argmax, inputGradient: dx.pointer, compute: compute)
      }
      return checkedUnpadded(y, channels: g.channels) + checkedUnpadded(dx, channels: g.channels)
    }
  }

  @Test("The first of equal values wins, and NaN wins over all")
  func ties() throws {
    let g = try PoolingGeometry(
      batch: 1, inputHeight: 2, inputWidth: 2, channels: 3, kernel: Extent(2), stride: Extent(1))
    let x = padded([1, 5, 0, 1, .nan, -2, 1, 9, 0, 1, 3, -1], channels: 3)
    for compute in try allComputes() {
      let y = GuardedBuffer(count: 16), positions = GuardedBuffer(count: 16)
      let places = positions.pointer.withMemoryRebound(to: Int32.self, capacity: 16) { argmax in
        Pooling.maximum(g, input: x.pointer, output: y.pointer, argmax: argmax, compute: compute)
        return (0..<3).map { argmax[$0] }
      }
      #expect(places == [0, 1, 0], label(compute))
      #expect(y.pointer[0] == 1 && y.pointer[1].isNaN && y.pointer[2] == 0, label(compute))
    }
  }

  @Test("Average and its gradient", arguments: PoolCase.all, [true, false])
  func average(_ example: PoolCase, countPadding: Bool) throws {
    let g = try example.geometry(), windows = windows(g)
    let input = randomDoubles(g.input.rows * g.channels, "x"), gradient = randomDoubles(windows.count, "dy")
    let sizes = windows.map { Double(countPadding ? g.kernel.height * g.kernel.width : $0.count) }
    let means = zip(windows, sizes).map { window, size in window.map { input[$0.input] }.reduce(0, +) / size }
    var back = [Double](repeating: 0, count: input.count)
    for (index, window) in windows.enumerated() {
      for place in window { back[place.input] += gradient[index] / sizes[index] }
    }
    try expectAgreement(means + back) { compute in
      let x = padded(input, channels: g.channels), dy = padded(gradient, channels: g.channels)
      let y = GuardedBuffer(count: g.output.floats), dx = GuardedBuffer(count: g.input.floats)
      Pooling.average(g, countPadding: countPadding, input: x.pointer, output: y.pointer, compute: compute)
      Pooling.averageBackward(
        g, countPadding: countPadding, outputGradient: dy.pointer, inputGradient: dx.pointer, compute: compute)
      return checkedUnpadded(y, channels: g.channels) + checkedUnpadded(dx, channels: g.channels)
    }
  }

  @Test("Global average and its gradient", arguments: [(1, 1), (3, 5), (16, 9)])
  func globalAverage(_ height: Int, _ width: Int) throws {
    let shape = ImageShape(n: 3, h: height, w: width, c: 17), pixels = height * width
    let input = randomDoubles(shape.rows * 17, "x"), gradient = randomDoubles(3 * 17, "dy")
    let means = (0..<3 * 17).map { index in
      (0..<pixels).map { input[(index / 17 * pixels + $0) * 17 + index % 17] }.reduce(0, +) / Double(pixels)
    }
    let back = (0..<input.count).map { gradient[$0 / (pixels * 17) * 17 + $0 % 17] / Double(pixels) }
    try expectAgreement(means + back) { compute in
      let x = padded(input, channels: 17), dy = padded(gradient, channels: 17)
      let y = GuardedBuffer(count: 3 * 32), dx = GuardedBuffer(count: shape.floats)
      Pooling.globalAverage(shape, input: x.pointer, output: y.pointer, compute: compute)
      Pooling.globalAverageBackward(shape, outputGradient: dy.pointer, inputGradient: dx.pointer, compute: compute)
      return checkedUnpadded(y, channels: 17) + checkedUnpadded(dx, channels: 17)
    }
  }
}
