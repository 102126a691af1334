import CKernels
import TensorCore
import TestSupport
import Testing

@Suite struct ElementwiseTests {
  static let counts = [1, 15, 16, 17, 1000, 70_001]

  /// Runs an operation on one to three random inputs of a length.
  private func check(
    _ count: Int, _ reference: (_ a: Double, _ b: Double, _ c: Double) -> Double,
    _ operation: (_ a: GuardedBuffer, _ b: GuardedBuffer, _ c: GuardedBuffer, Compute) -> Void
  ) throws {
    let a = randomDoubles(count, "a"), b = randomDoubles(count, "b"), c = randomDoubles(count, "c")
    try expectAgreement((0..<count).map { reference(a[$0], b[$0], c[$0]) }) { compute in
      let result = GuardedBuffer(floats(c))
      operation(GuardedBuffer(floats(a)), GuardedBuffer(floats(b)), result, compute)
      return result.values
    }
  }

  @Test("Arithmetic of any length", arguments: counts)
  func arithmetic(_ n: Int) throws {
    try check(n, { a, _, _ in a * 0.75 }) { a, _, r, k in
      Elementwise.scale(a.pointer, by: 0.75, result: r.pointer, count: n, compute: k)
    }
    try check(n, { a, b, _ in a * b }) { a, b, r, k in
      Elementwise.binary(NR_MUL, a.pointer, b.pointer, result: r.pointer, count: n, compute: k)
    }
    try check(n, { a, _, c in a + c }) { a, _, r, k in
      Elementwise.accumulate(a.pointer, into: r.pointer, count: n, compute: k)
    }
    try check(n, { _, _, _ in -2 }) { _, _, r, k in
      Elementwise.fill(-2, result: r.pointer, count: n, compute: k)
    }
    try check(n, { a, _, _ in a }) { a, _, r, k in
      Elementwise.copy(a.pointer, result: r.pointer, count: n, compute: k)
    }
  }

  @Test("Sums of one to four terms, in place too", arguments: counts)
  func sums(_ n: Int) throws {
    for terms in 1...4 {
      try check(n, { a, b, c in [c, a, b, a].prefix(terms).reduce(0, +) }) { a, b, r, k in
        let all = [r, a, b, a].prefix(terms).map { UnsafePointer($0.pointer) }
        all.withUnsafeBufferPointer { Elementwise.add($0, result: r.pointer, count: n, compute: k) }
      }
    }
  }

  @Test("Rectifiers and their gradients", arguments: counts)
  func rectifiers(_ n: Int) throws {
    try check(n, { a, _, _ in max(a, 0) }) { a, _, r, k in
      Elementwise.unary(NR_CLAMP, a.pointer, parameters: (0, .infinity), result: r.pointer, count: n, compute: k)
    }
    try check(n, { a, _, _ in min(max(a * 16, 0), 6) }) { a, _, r, k in
      Elementwise.scale(a.pointer, by: 16, result: r.pointer, count: n, compute: k)
      Elementwise.unary(NR_CLAMP, r.pointer, parameters: (0, 6), result: r.pointer, count: n, compute: k)
    }
    try check(n, { a, b, _ in a > 0 ? b : 0 }) { a, b, r, k in
      Elementwise.binary(
        NR_OPEN_RANGE, a.pointer, b.pointer, parameters: (0, .infinity), result: r.pointer, count: n, compute: k)
    }
    try check(n, { a, b, _ in a * 16 > 0 && a * 16 < 6 ? b : 0 }) { a, b, r, k in
      Elementwise.scale(a.pointer, by: 16, result: a.pointer, count: n, compute: k)
      Elementwise.unary(NR_CLAMP, a.pointer, parameters: (0, 6), result: a.pointer, count: n, compute: k)
      Elementwise.binary(
        NR_OPEN_RANGE, a.pointer, b.pointer, parameters: (0, 6), result: r.pointer, count: n, compute: k)
    }
  }

  @Test("NaN passes through a rectifier")
  func notANumber() throws {
    for compute in try allComputes() {
      let x = GuardedBuffer(count: 17), y = GuardedBuffer(count: 17, value: 0)
      Elementwise.unary(NR_CLAMP, x.pointer, parameters: (0, 6), result: y.pointer, count: 17, compute: compute)
      #expect(y.values.allSatisfy { $0.isNaN }, label(compute))
    }
  }
}

@Suite struct ChannelsTests {
  @Test("Padding and its inverse", arguments: [1, 3, 16, 17, 40])
  func pad(_ channels: Int) throws {
    let values = floats(randomDoubles(700 * channels, "x"))
    for compute in try allComputes() {
      let dense = GuardedBuffer(values), wide = GuardedBuffer(count: 700 * paddedChannels(channels))
      let back = GuardedBuffer(count: values.count)
      Channels.pad(rows: 700, channels: channels, dense: dense.pointer, padded: wide.pointer, compute: compute)
      Channels.unpad(rows: 700, channels: channels, padded: wide.pointer, dense: back.pointer, compute: compute)
      #expect(checkedUnpadded(wide, channels: channels) == values, label(compute))
      #expect(back.values == values, label(compute))
    }
  }

  @Test("Parts of 3, 17 and 20 channels joined, and cut out again")
  func concatenation() throws {
    let parts = [3, 17, 20], compute = try Compute()
    let inputs = parts.map { randomDoubles(9 * $0, "part \($0)") }
    let joined = GuardedBuffer(count: 9 * 48)
    var first = 0
    for (count, input) in zip(parts, inputs) {
      let source = padded(input, channels: count)
      Channels.copy(
        rows: 9, input: source.pointer, inputChannels: count, first: 0, count: count,
        result: joined.pointer, resultChannels: 40, resultFirst: first, compute: compute)
      first += count
    }
    #expect(unpadded(joined, channels: 40).zeroPadding)
    first = 0
    for (count, input) in zip(parts, inputs) {
      let part = GuardedBuffer(count: 9 * paddedChannels(count))
      Channels.copy(
        rows: 9, input: joined.pointer, inputChannels: 40, first: first, count: count, result: part.pointer,
        resultChannels: count, resultFirst: 0, compute: compute)
      #expect(checkedUnpadded(part, channels: count) == floats(input))
      first += count
    }
  }

  @Test("The gradient of a bias", arguments: [1, 5, 300, 5000], [3, 17])
  func sums(rows: Int, channels: Int) throws {
    let input = randomDoubles(rows * channels, "x")
    let sums = (0..<channels).map { c in stride(from: c, to: input.count, by: channels).map { input[$0] }.reduce(0, +) }
    try expectAgreement(sums) { compute in
      let x = padded(input, channels: channels), total = GuardedBuffer(count: channels)
      let scratch = GuardedBuffer(count: Channels.scratchFloats(channels: channels))
      Channels.sumRows(
        rows: rows, channels: channels, input: x.pointer, result: total.pointer, scratch: scratch.pointer,
        compute: compute)
      return withExtendedLifetime((x, scratch)) { total.values }
    }
  }
}
