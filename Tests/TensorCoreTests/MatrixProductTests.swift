import TensorCore
import TestSupport
import Testing

@Suite struct MatrixProductTests {
  /// Rows, columns and depth: single ones, less than a vector, a tile and a rest, more than a panel; of one row and two,
  /// more columns than the registers hold.
  static let sizes = [
    (1, 1, 1), (1, 17, 33), (1, 103, 7), (1, 391, 5), (2, 513, 3), (2, 5, 16), (3, 7, 17), (9, 32, 5), (17, 33, 20),
    (37, 70, 65),
  ]

  @Test("Products agree with double precision", arguments: sizes, [(false, false), (false, true), (true, false)])
  func product(size: (Int, Int, Int), transposed: (Bool, Bool)) throws {
    let (m, n, k) = size
    let product = MatrixProduct(
      rows: m, columns: n, depth: k, transposesLeft: transposed.0, transposesRight: transposed.1)
    let a = randomDoubles(m * k, "a"), b = randomDoubles(k * n, "b")
    var expected: [Double] = []
    for i in 0..<m {
      for j in 0..<n {
        expected.append(
          (0..<k).reduce(0.0) {
            $0 + a[transposed.0 ? $1 * m + i : i * k + $1] * b[transposed.1 ? j * k + $1 : $1 * n + j]
          }
        )
      }
    }
    for isPadded in [false, true] {
      try expectAgreement(expected) { compute in
        let left = GuardedBuffer(floats(a)), right = GuardedBuffer(floats(b))
        let result = GuardedBuffer(count: m * (isPadded ? paddedChannels(n) : n))
        let scratch = GuardedBuffer(count: product.scratchFloats)
        withExtendedLifetime((left, right, scratch)) {
          product.run(
            MatrixProduct.Operands(
              left: left.pointer, leftRow: transposed.0 ? m : k, right: right.pointer,
              rightRow: transposed.1 ? k : n, result: result.pointer, resultRow: isPadded ? paddedChannels(n) : n),
            scratch: scratch.pointer, compute: compute)
        }
        return isPadded ? checkedUnpadded(result, channels: n) : result.values
      }
    }
  }

  @Test("An infinite element reaches its row and column alone, and no padding lane")
  func infinity() throws {
    let product = MatrixProduct(rows: 4, columns: 5, depth: 3)
    for compute in try allComputes() {
      let left = GuardedBuffer(count: 12, value: 1), right = GuardedBuffer(count: 15, value: 1)
      left.pointer[3] = .infinity
      let result = GuardedBuffer(count: 4 * 16), scratch = GuardedBuffer(count: product.scratchFloats)
      withExtendedLifetime((left, right, scratch)) {
        product.run(
          MatrixProduct.Operands(
            left: left.pointer, leftRow: 3, right: right.pointer, rightRow: 5, result: result.pointer, resultRow: 16),
          scratch: scratch.pointer, compute: compute)
      }
      let dense = checkedUnpadded(result, channels: 5)
      #expect(dense == [3, 3, 3, 3, 3] + [Float](repeating: .infinity, count: 5) + [Float](repeating: 3, count: 10))
    }
  }
}
