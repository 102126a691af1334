import TensorCore
import TestSupport
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

  @Test("Three steps of Adam and AdamW by PyTorch's formula", arguments: [1, 3, 16, 17, 33], [false, true])
  func adam(count: Int, decoupled: Bool) throws {
    let (rate, decay, epsilon, betas) = (0.125, 0.0625, 1e-4, (0.875, 0.75))
    var p = randomDoubles(count, "p"), m = [Double](repeating: 0, count: count), v = m
    let gradients = (0..<3).map { randomDoubles(count, "g\($0)") }
    let corrections = (1...3).map { step in
      (0..<step).reduce((1.0, 1.0)) { powers, _ in (powers.0 * betas.0, powers.1 * betas.1) }
    }.map { (1 - $0.0, 1 - $0.1) }
    for step in 0..<3 {
      for i in 0..<count {
        if decoupled { p[i] -= rate * decay * p[i] }
        let g = gradients[step][i] + (decoupled ? 0 : decay * p[i])
        m[i] = betas.0 * m[i] + (1 - betas.0) * g
        v[i] = betas.1 * v[i] + (1 - betas.1) * g * g
        let root = (v[i] / corrections[step].1).squareRoot()
        p[i] -= rate / corrections[step].0 * m[i] / (root + epsilon)
      }
    }
    try expectAgreement(p, within: 2e-6) { compute in
      let parameters = GuardedBuffer(floats(randomDoubles(count, "p")))
      let mean = GuardedBuffer(count: count, value: 0), square = GuardedBuffer(count: count, value: 0)
      for step in 0..<3 {
        let gradient = GuardedBuffer(floats(gradients[step]))
        AdaptiveUpdate.adam(
          parameters: parameters.pointer, gradient: gradient.pointer, mean: mean.pointer, square: square.pointer,
          count: count, rate: rate, betas: betas, corrections: corrections[step],
          epsilon: epsilon, weightDecay: decay, decoupled: decoupled, compute: compute)
      }
      return withExtendedLifetime((mean, square)) { parameters.values }
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
