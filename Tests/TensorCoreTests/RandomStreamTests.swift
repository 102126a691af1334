import Canonical
import Diagnostics
import TensorCore
import Testing

/// Expected numbers are printed by Tests/References/random_stream.py.
@Suite struct RandomStreamTests {
  @Test("Known answers of an independent implementation")
  func knownAnswers() {
    var stream = RandomStream(seed: 42, name: "trial/abc/0/weights")
    #expect(
      (0..<4).map { _ in stream.next() } == [
        0x4298_4b89_5652_9c27, 0x3997_db15_67ad_a1c9, 0x4964_a67b_d44c_b64b, 0xd4a8_7bfe_2973_921c,
      ])
    stream = RandomStream(seed: 42, name: "trial/abc/0/weights")
    #expect(
      (0..<4).map { _ in stream.uniform() } == [
        0.2601363382621663, 0.22497338554938162, 0.2866920521085372, 0.8306958671104907,
      ])
  }

  @Test("Whole numbers below a bound, with bounds that reject often")
  func below() {
    var stream = RandomStream(seed: 7, name: "größe")
    let bounds = [1, 2, 10, 1000, 3 << 61, 3 << 61, 3 << 61]
    #expect(
      bounds.map { stream.uniform(below: $0) } == [
        0, 0, 1, 408, 6896266758313268919, 6573548903875938131, 3309624417964184198,
      ])
  }

  @Test("Normal numbers agree with the C library's logarithm to rounding")
  func normal() {
    var stream = RandomStream(seed: 0, name: "")
    let expected = [
      -1.0839460590926486, -0.4132637500901668, -0.017144494590226163, 0.26672829432979084, 0.30794767235130394,
    ]
    for value in expected { #expect(abs(stream.normal() - value) < 1e-15) }
    let many = (0..<100_000).map { _ in stream.normal() }
    let mean = many.reduce(0, +) / 1e5, variance = many.map { $0 * $0 }.reduce(0, +) / 1e5
    #expect(abs(mean) < 0.012 && abs(variance - 1) < 0.018, "4 standard errors")
  }

  @Test func shuffle() {
    var items = Array(0..<12)
    var stream = RandomStream(seed: 1, name: "order")
    stream.shuffle(&items)
    #expect(items == [9, 4, 6, 5, 8, 10, 3, 0, 7, 11, 2, 1])
  }

  @Test("Each value below a small bound is as frequent as the others")
  func unbiased() {
    var stream = RandomStream(seed: 3, name: "dice"), counts = [Int](repeating: 0, count: 6)
    for _ in 0..<60_000 { counts[stream.uniform(below: 6)] += 1 }
    let chiSquared = counts.map { Double(($0 - 10_000) * ($0 - 10_000)) / 10_000 }.reduce(0, +)
    #expect(chiSquared < 20.5, "the 0.1 % point of 5 degrees of freedom")
  }

  @Test("A saved state continues the stream; damage is a fault")
  func state() throws {
    var stream = RandomStream(seed: 5, name: "checkpoint")
    for _ in 0..<3 { _ = stream.next() }
    var copy = try RandomStream(state: stream.state)
    #expect((0..<9).map { _ in stream.next() } == (0..<9).map { _ in copy.next() })
    #expect(throws: Fault.self) {
      try RandomStream(state: ["generator": "xoshiro256**", "state": ["0", "0", "0", "0"]])
    }
    #expect(throws: Fault.self) { try RandomStream(state: "nonsense") }
  }
}
