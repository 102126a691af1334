import Diagnostics
import Glibc
import TensorCore
import TestSupport
import Testing

@Suite struct SoftmaxTests {
  @Test("Losses and gradients agree with double precision", arguments: [1, 2, 10, 16, 100], [0, 0.1])
  func crossEntropy(classes: Int, smoothing: Double) throws {
    let rows = 5, logits = randomDoubles(rows * classes, "z").map { Double(Float($0 * 20)) }
    let labels = (0..<rows).map { $0 * 7 % classes }
    var losses: [Double] = [], gradients: [Double] = []
    for row in 0..<rows {
      let z = Array(logits[row * classes..<(row + 1) * classes]), highest = z.max()!
      let total = z.map { exp($0 - highest) }.reduce(0, +)
      let target = (0..<classes).map { (1 - smoothing) * ($0 == labels[row] ? 1 : 0) + smoothing / Double(classes) }
      losses.append(-zip(z, target).map { ($0 - highest - log(total)) * $1 }.reduce(0, +))
      gradients += zip(z, target).map { (exp($0 - highest) / total - $1) / Double(rows) }
    }
    for (reference, wantsLosses) in [(losses, true), (gradients, false)] {
      try expectAgreement(reference, within: classes == 1 ? .infinity : 1e-6) { compute in
        let result = try run(compute, logits, labels, classes, smoothing)
        return wantsLosses ? result.losses : result.gradient
      }
    }
  }

  private func run(
    _ compute: Compute, _ logits: [Double], _ labels: [Int], _ classes: Int, _ smoothing: Double
  ) throws -> (losses: [Float], gradient: [Float]) {
    let rows = labels.count, z = padded(logits, channels: classes)
    let losses = GuardedBuffer(count: rows), gradient = GuardedBuffer(count: z.count)
    try labels.map { Int32($0) }.withUnsafeBufferPointer {
      try Softmax.crossEntropy(
        rows: rows, classes: classes, logits: z.pointer, labels: $0.baseAddress!, labelSmoothing: Float(smoothing),
        gradientScale: 1 / Float(rows), losses: losses.pointer, gradient: gradient.pointer, compute: compute)
    }
    return (losses.values, checkedUnpadded(gradient, channels: classes))
  }

  @Test("Huge, infinite and undefined logits")
  func extremes() throws {
    for compute in try allComputes() {
      let certain = try run(compute, [1e4, -1e4, 0], [0], 3, 0)
      #expect(abs(certain.losses[0]) < 1e-6 && certain.gradient.allSatisfy { abs($0) < 1e-6 }, label(compute))
      let wrong = try run(compute, [1e4, -1e4, 0], [1], 3, 0)
      #expect(wrong.losses == [2e4], label(compute))
      #expect(try run(compute, [.nan, 0, 0], [0], 3, 0).losses[0].isNaN, label(compute))
    }
  }

  @Test func labelOutOfRange() throws {
    let compute = try Compute()
    for label in [-1, 3] {
      #expect {
        try run(compute, [0, 0, 0, 0, 0, 0], [1, label], 3, 0)
      } throws: {
        ($0 as? Fault)?.description == "sample 1 of the batch: label out of range: expected 0 to 2, got \(label)"
      }
    }
  }

  @Test("Probabilities sum to one", arguments: [1, 10, 33])
  func probabilities(_ classes: Int) throws {
    let logits = randomDoubles(3 * classes, "z")
    let expected = (0..<3).flatMap { row in
      let e = (0..<classes).map { exp(logits[row * classes + $0]) }
      return e.map { $0 / e.reduce(0, +) }
    }
    try expectAgreement(expected) { compute in
      let z = padded(logits, channels: classes)
      Softmax.probabilities(
        rows: 3, classes: classes, stride: paddedChannels(classes), logits: z.pointer, output: z.pointer,
        compute: compute)
      return checkedUnpadded(z, channels: classes)
    }
  }

  @Test("Logarithms of probabilities, in padded and in dense rows", arguments: [1, 10, 33], [false, true])
  func logarithms(_ classes: Int, isDense: Bool) throws {
    let logits = randomDoubles(3 * classes, "z").map { 20 * $0 }
    let expected = (0..<3).flatMap { row in
      let x = (0..<classes).map { logits[row * classes + $0] }, highest = x.max() ?? 0
      let sum = highest + log(x.reduce(0) { $0 + exp($1 - highest) })
      return x.map { $0 - sum }
    }
    try expectAgreement(expected) { compute in
      let z = padded(logits, channels: classes), stride = isDense ? classes : paddedChannels(classes)
      if isDense { for index in logits.indices { z.pointer[index] = Float(logits[index]) } }
      let result = padded(logits.map { _ in 0 }, channels: classes)
      Softmax.logarithms(
        rows: 3, classes: classes, stride: stride, logits: z.pointer, output: result.pointer, compute: compute)
      return isDense
        ? (0..<(3 * classes)).map { result.pointer[$0] } : checkedUnpadded(result, channels: classes)
    }
  }

  @Test("A class of logit -infinity has probability 0")
  func masked() throws {
    for compute in try allComputes() {
      let logits = GuardedBuffer([-.infinity, 0, 0] + [Float](repeating: 0, count: 13)), y = GuardedBuffer(count: 16)
      Softmax.probabilities(
        rows: 1, classes: 3, stride: 16, logits: logits.pointer, output: y.pointer, compute: compute)
      #expect(Array(y.values.prefix(3)) == [0, 0.5, 0.5], label(compute))
      Softmax.logarithms(rows: 1, classes: 3, stride: 16, logits: logits.pointer, output: y.pointer, compute: compute)
      #expect(y.values[0] == -.infinity, label(compute))
    }
  }
}
