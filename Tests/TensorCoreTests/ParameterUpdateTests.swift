import TensorCore
import Testing

@Suite struct ParameterUpdateTests {
  @Test("Three steps of PyTorch's formula", arguments: [1, 16, 33], [false, true])
  func sgd(count: Int, nesterov: Bool) throws {
    let (rate, momentum, decay, clip) = (0.125, 0.875, 0.0625, 0.5)
    var p = randomDoubles(count, "p"), buffer = [Double](repeating: 0, count: count)
    let gradients = (0..<3).map { randomDoubles(count, "g\($0)") }
    for step in 0..<3 {
      for i in 0..<count {
        let g = gradients[step][i] * clip + decay * p[i]
        buffer[i] = step == 0 ? g : momentum * buffer[i] + g
        p[i] -= rate * (nesterov ? g + momentum * buffer[i] : buffer[i])
      }
    }
    try expectAgreement(p) { compute in
      let parameters = GuardedBuffer(floats(randomDoubles(count, "p"))), velocity = GuardedBuffer(count: count)
      for step in 0..<3 {
        let gradient = GuardedBuffer(floats(gradients[step]))
        ParameterUpdate.sgd(
          parameters: parameters.pointer, gradient: gradient.pointer,
          momentumBuffer: velocity.pointer, count: count, learningRate: Float(rate), momentum: Float(momentum),
          nesterov: nesterov, weightDecay: Float(decay), gradientScale: Float(clip), firstStep: step == 0,
          compute: compute)
      }
      return parameters.values
    }
  }

  @Test("The squared norm in double precision", arguments: [1, 7, 8, 100_003])
  func squaredNorm(_ count: Int) throws {
    let values = randomDoubles(count, "v"), expected = values.map { $0 * $0 }.reduce(0, +)
    var results: Set<Double> = []
    for compute in try allComputes() {
      let buffer = GuardedBuffer(floats(values))
      let norm = ParameterUpdate.squaredNorm(buffer.pointer, count: count, compute: compute)
      #expect(abs(norm - expected) <= 1e-13 * expected, label(compute))
      results.insert(norm)
    }
    #expect(results.count == 1, "squares of floats are exact in double precision, so all sets agree")
  }
}
