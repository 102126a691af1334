import TensorCore
import TestSupport
import Testing

@Suite struct BatchNormalizationTests {
  private static let epsilon = 1e-5

  /// Columns of rows × channels.
  private func column(_ values: [Double], _ channel: Int, of channels: Int) -> [Double] {
    stride(from: channel, to: values.count, by: channels).map { values[$0] }
  }

  private func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
    let mean = values.reduce(0, +) / Double(values.count)
    return (mean, values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(values.count))
  }

  @Test("Statistics, also far from zero", arguments: [1, 2, 5, 63, 64, 700, 5000], [1, 3, 17])
  func statistics(rows: Int, channels: Int) throws {
    let input = randomDoubles(rows * channels, "x").enumerated().map {
      Double(Float($0.element + ($0.offset % channels == 1 ? 1000 : 0)))
    }
    let expected = (0..<channels).map { moments(column(input, $0, of: channels)) }
    try expectAgreement(expected.map(\.mean), within: 1e-6) { compute in
      try run(compute, input, rows, channels).mean
    }
    for channel in 0..<channels {
      try expectAgreement([expected[channel].variance], within: channel == 1 ? 1e-5 : 1e-6) { compute in
        [try run(compute, input, rows, channels).variance[channel]]
      }
    }
  }

  private func run(
    _ compute: Compute, _ input: [Double], _ rows: Int, _ channels: Int
  ) throws -> (mean: [Float], variance: [Float]) {
    let x = padded(input, channels: channels)
    let mean = GuardedBuffer(count: channels), variance = GuardedBuffer(count: channels)
    let scratch = GuardedBuffer(count: BatchNormalization.scratchFloats(channels: channels))
    BatchNormalization.statistics(
      rows: rows, channels: channels, input: x.pointer, mean: mean.pointer, variance: variance.pointer,
      scratch: scratch.pointer, compute: compute)
    return (mean.values, variance.values)
  }

  /// y of all rows as the definition says, with the statistics of the rows or with given ones.
  private func normalised(
    _ input: [Double], gamma: [Double], beta: [Double], statistics: [(mean: Double, variance: Double)]?
  ) -> [Double] {
    let channels = gamma.count
    let used = statistics ?? (0..<channels).map { moments(column(input, $0, of: channels)) }
    return input.enumerated().map { index, x in
      let c = index % channels
      return (x - used[c].mean) / (used[c].variance + Self.epsilon).squareRoot() * gamma[c] + beta[c]
    }
  }

  /// The derivative of Σ dy · f(x) by each x, by central differences.
  private func differences(_ x: [Double], _ dy: [Double], _ f: ([Double]) -> [Double]) -> [Double] {
    let h = 1e-5
    func total(_ x: [Double]) -> Double { zip(f(x), dy).map { $0 * $1 }.reduce(0, +) }
    return x.indices.map { index in
      var above = x, below = x
      above[index] += h
      below[index] -= h
      return (total(above) - total(below)) / (2 * h)
    }
  }

  @Test(
    "Normalising and both backward modes agree with finite differences", arguments: [(2, 3), (9, 17), (33, 4)],
    [true, false])
  func backward(_ size: (rows: Int, channels: Int), usesBatch: Bool) throws {
    let (rows, channels) = size
    let x = randomDoubles(rows * channels, "x"), dy = randomDoubles(rows * channels, "dy")
    let gamma = randomDoubles(channels, "gamma"), beta = randomDoubles(channels, "beta")
    let given = (0..<channels).map { moments(column(x, $0, of: channels)) }
    let statistics = usesBatch ? nil : given
    let y = normalised(x, gamma: gamma, beta: beta, statistics: statistics)
    let dx = differences(x, dy) { normalised($0, gamma: gamma, beta: beta, statistics: statistics) }
    let dgamma = differences(gamma, dy) { normalised(x, gamma: $0, beta: beta, statistics: given) }
    let dbeta = differences(beta, dy) { normalised(x, gamma: gamma, beta: $0, statistics: given) }
    // With two rows the gradient is a difference of nearly equal numbers, and the differences err by about 1e-6.
    try expectAgreement(y + dx + dgamma + dbeta, within: 1e-5) { compute in
      gradients(compute, rows, x: x, dy: dy, gamma: gamma, beta: beta, given: given, usesBatch: usesBatch)
    }
  }

  private func gradients(
    _ compute: Compute, _ rows: Int, x: [Double], dy: [Double], gamma: [Double], beta: [Double],
    given: [(mean: Double, variance: Double)], usesBatch: Bool
  ) -> [Float] {
    let channels = gamma.count
    let input = padded(x, channels: channels), gradient = padded(dy, channels: channels)
    let mean = GuardedBuffer(given.map { Float($0.mean) }), variance = GuardedBuffer(given.map { Float($0.variance) })
    let deviation = GuardedBuffer(count: channels), g = GuardedBuffer(floats(gamma)), b = GuardedBuffer(floats(beta))
    let output = GuardedBuffer(count: input.count), result = GuardedBuffer(count: input.count)
    let dgamma = GuardedBuffer(count: channels), dbeta = GuardedBuffer(count: channels)
    let scratch = GuardedBuffer(count: BatchNormalization.scratchFloats(channels: channels))
    BatchNormalization.inverseDeviation(
      channels: channels, variance: variance.pointer, epsilon: Float(Self.epsilon), result: deviation.pointer)
    BatchNormalization.normalise(
      rows: rows, channels: channels, input: input.pointer, mean: mean.pointer, inverseDeviation: deviation.pointer,
      gamma: g.pointer, beta: b.pointer, output: output.pointer, scratch: scratch.pointer, compute: compute)
    let backward = usesBatch ? BatchNormalization.backward : BatchNormalization.runningBackward
    backward(
      rows, channels, input.pointer, gradient.pointer, mean.pointer, deviation.pointer, UnsafePointer(g.pointer),
      result.pointer, dgamma.pointer, dbeta.pointer, scratch.pointer, compute)
    return checkedUnpadded(output, channels: channels) + checkedUnpadded(result, channels: channels) + dgamma.values
      + dbeta.values
  }

  @Test("Without gamma and beta they are 1 and 0")
  func affineOptional() throws {
    let x = padded([1, 2, 3, 4], channels: 2), mean = GuardedBuffer([1, 1]), deviation = GuardedBuffer([2, 0.5])
    let y = GuardedBuffer(count: 32), scratch = GuardedBuffer(count: BatchNormalization.scratchFloats(channels: 2))
    BatchNormalization.normalise(
      rows: 2, channels: 2, input: x.pointer, mean: mean.pointer, inverseDeviation: deviation.pointer, gamma: nil,
      beta: nil, output: y.pointer, scratch: scratch.pointer, compute: try Compute())
    #expect(checkedUnpadded(y, channels: 2) == [0, 0.5, 4, 1.5])
  }

  @Test("A sum of plain and normalised terms, clamped", arguments: [1, 3, 4, 9, 700], [1, 3, 7, 17, 40])
  func sums(rows: Int, channels: Int) throws {
    let a = randomDoubles(rows * channels, "a"), b = randomDoubles(rows * channels, "b")
    let c = randomDoubles(rows * channels, "c")
    let gamma = randomDoubles(channels, "gamma"), beta = randomDoubles(channels, "beta")
    let given = (0..<channels).map { (mean: Double($0) / 8, variance: 0.5 + Double($0) / 16) }
    let y = normalised(b, gamma: gamma, beta: beta, statistics: given)
    let expected = a.indices.map { min(max(a[$0] + 0.75 * y[$0] + c[$0], -0.5), 1) }
    try expectAgreement(expected, within: 2e-6) { compute in
      let inputs = [a, b, c].map { padded($0, channels: channels) }, output = GuardedBuffer(count: inputs[0].count)
      let mean = GuardedBuffer(given.map { Float($0.mean) })
      let deviation = GuardedBuffer(given.map { Float(1 / ($0.variance + Self.epsilon).squareRoot()) })
      let g = GuardedBuffer(floats(gamma)), h = GuardedBuffer(floats(beta))
      let storage = GuardedBuffer(count: BatchNormalization.Term.storageFloats(channels: channels))
      let terms = [
        BatchNormalization.Term(inputs[0].pointer),
        BatchNormalization.Term(
          inputs[1].pointer, channels: channels, mean: mean.pointer, inverseDeviation: deviation.pointer,
          gamma: g.pointer, beta: h.pointer, factor: 0.75, storage: storage.pointer),
        BatchNormalization.Term(inputs[2].pointer),
      ]
      withExtendedLifetime((inputs, g, h, mean, deviation, storage)) {
        terms.withUnsafeBufferPointer {
          BatchNormalization.sum(
            rows: rows, channels: channels, terms: $0, low: -0.5, high: 1, output: output.pointer, compute: compute)
        }
      }
      return checkedUnpadded(output, channels: channels)
    }
  }

  @Test(
    "The coefficients of the gradient, behind a clamp too", arguments: [(9, 17), (33, 4), (700, 3)],
    [nil, 0...Double.infinity, 0...1] as [ClosedRange<Double>?])
  func coefficients(_ size: (rows: Int, channels: Int), clamp: ClosedRange<Double>?) throws {
    let (rows, channels) = size
    let x = randomDoubles(rows * channels, "x"), dy = randomDoubles(rows * channels, "dy")
    let gamma = randomDoubles(channels, "gamma"), beta = randomDoubles(channels, "beta")
    let given = (0..<channels).map { moments(column(x, $0, of: channels)) }
    let y = normalised(x, gamma: gamma, beta: beta, statistics: nil)
    let masked = zip(dy, y).map { dy, y in clamp.map { $0.lowerBound < y && y < $0.upperBound } ?? true ? dy : 0 }
    let products = x.indices.map { i in
      masked[i] * (x[i] - given[i % channels].mean) / (given[i % channels].variance + Self.epsilon).squareRoot()
    }
    let dbeta = (0..<channels).map { column(masked, $0, of: channels).reduce(0, +) }
    let dgamma = (0..<channels).map { column(products, $0, of: channels).reduce(0, +) }
    let dx = x.indices.map { i in
      let c = i % channels, d = 1 / (given[c].variance + Self.epsilon).squareRoot(), n = Double(rows)
      return gamma[c] * d * (masked[i] - dbeta[c] / n - (x[i] - given[c].mean) * d * dgamma[c] / n)
    }
    try expectAgreement(dx + dgamma + dbeta, within: 5e-6) { compute in
      let input = padded(x, channels: channels), gradient = padded(dy, channels: channels)
      let mean = GuardedBuffer(given.map { Float($0.mean) })
      let variance = GuardedBuffer(given.map { Float($0.variance) })
      let g = GuardedBuffer(floats(gamma)), b = GuardedBuffer(floats(beta))
      let sums = (GuardedBuffer(count: channels), GuardedBuffer(count: channels))
      let storage = GuardedBuffer(count: BatchNormalization.GradientCoefficients.storageFloats(channels: channels))
      let scratch = GuardedBuffer(count: BatchNormalization.scratchFloats(channels: channels))
      let k = BatchNormalization.GradientCoefficients(channels: channels, storage: storage.pointer)
      BatchNormalization.BackwardReduction(
        rows: rows, channels: channels, input: input.pointer, mean: mean.pointer, variance: variance.pointer,
        epsilon: Float(Self.epsilon), gamma: g.pointer, beta: b.pointer, statisticsDependOnInput: true,
        clamp: clamp.map { (Float($0.lowerBound), Float($0.upperBound)) }, coefficients: k,
        gammaGradient: sums.0.pointer, betaGradient: sums.1.pointer, scratch: scratch.pointer
      ).run(outputGradient: gradient.pointer, compute: compute)
      let result = withExtendedLifetime(storage) {
        masked.indices.map { i in
          let c = i % channels
          return k[0][c] * Float(masked[i]) + k[1][c] * Float(x[i]) + k[2][c]
        }
      }
      return result + sums.0.values + sums.1.values
    }
  }

  @Test("Products with plain and normalised terms", arguments: [1, 5, 64, 700], [1, 3, 17, 40])
  func dots(rows: Int, channels: Int) throws {
    let dy = randomDoubles(rows * channels, "dy")
    let a = randomDoubles(rows * channels, "a"), b = randomDoubles(rows * channels, "b")
    let gamma = randomDoubles(channels, "gamma"), beta = randomDoubles(channels, "beta")
    let given = (0..<channels).map { (mean: Double($0) / 8, variance: 0.5 + Double($0) / 16) }
    let y = normalised(b, gamma: gamma, beta: beta, statistics: given)
    func dot(_ x: [Double]) -> Double { zip(dy, x).map { $0 * $1 }.reduce(0, +) }
    // Relative to the sum of magnitudes, since the products cancel.
    let size = zip(dy, y).map { abs($0 * $1) }.reduce(0, +) + zip(dy, a).map { abs($0 * $1) }.reduce(0, +)
    try expectAgreement([dot(a) / size, dot(y) / size, 1], within: 1e-6) { compute in
      let inputs = [dy, a, b].map { padded($0, channels: channels) }, result = GuardedBuffer(count: 2)
      let mean = GuardedBuffer(given.map { Float($0.mean) })
      let deviation = GuardedBuffer(given.map { Float(1 / ($0.variance + Self.epsilon).squareRoot()) })
      let g = GuardedBuffer(floats(gamma)), h = GuardedBuffer(floats(beta))
      let storage = GuardedBuffer(count: BatchNormalization.Term.storageFloats(channels: channels))
      let terms = [
        BatchNormalization.Term(inputs[1].pointer, factor: 3),
        BatchNormalization.Term(
          inputs[2].pointer, channels: channels, mean: mean.pointer, inverseDeviation: deviation.pointer,
          gamma: g.pointer, beta: h.pointer, factor: -2, storage: storage.pointer),
      ]
      withExtendedLifetime((inputs, g, h, mean, deviation, storage)) {
        terms.withUnsafeBufferPointer {
          BatchNormalization.dots(
            rows: rows, channels: channels, gradient: inputs[0].pointer, terms: $0, result: result.pointer,
            compute: compute)
        }
      }
      return result.values.map { $0 / Float(size) } + [1]
    }
  }
}
