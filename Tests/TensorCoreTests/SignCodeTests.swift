import TensorCore
import TestSupport
import Testing

@Suite struct SignCodeTests {
  @Test(arguments: [1, 3, 16, 17, 31, 32, 33, 200]) func codesAndAgreement(count: Int) throws {
    let rows = 5, words = SignCodes.words(count)
    var numbers = floats(randomDoubles(rows * count, "x"))
    (numbers[0], numbers[count - 1]) = (0, -0.0)
    let bits = numbers.map { $0 > 0 }
    for compute in try allComputes() {
      let input = GuardedBuffer(numbers), buffer = GuardedBuffer(count: rows * words)
      var agreement = try Matrix(rows: rows, columns: rows)
      let codes = buffer.pointer.withMemoryRebound(to: UInt32.self, capacity: rows * words) { codes in
        SignCodes.encode(
          rows: rows, count: count, input: input.pointer, codes: codes, stride: words, compute: compute)
        SignCodes.addAgreement(
          rows: rows, count: count, codes: codes, stride: words, words: words, to: &agreement, compute: compute)
        return (0..<rows * words).map { codes[$0] }
      }
      for row in 0..<rows {
        let found = (0..<32 * words).map { codes[row * words + $0 / 32] >> UInt32($0 % 32) & 1 == 1 }
        #expect(found == bits[row * count..<(row + 1) * count] + Array(repeating: false, count: 32 * words - count))
        for other in 0..<rows {
          let equal = (0..<count).count { bits[row * count + $0] == bits[other * count + $0] }
          #expect(agreement[row, other] == Double(equal), label(compute))
        }
      }
    }
  }
}
