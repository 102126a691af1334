import CKernels

/// Binary codes of numbers: a bit for each, 1 where it is greater than 0.
public enum SignCodes {
  /// The words of a code of `count` numbers.
  public static func words(_ count: Int) -> Int { (count + 31) / 32 }

  /// The codes of rows of `count` numbers, `words(count)` words for each, `stride` words apart.
  public static func encode(
    rows: Int, count: Int, input: UnsafePointer<Float>, codes: UnsafeMutablePointer<UInt32>, stride: Int,
    compute: Compute
  ) {
    compute.forEachChunk(rows) { row, _ in
      compute.kernels.sign_codes(input + row * count, Int64(count), codes + row * stride)
    }
  }

  /// Adds to a square matrix, for each pair of rows, how many of the first `count` bits are equal. What lies after them in
  /// a code must be equal, too.
  public static func addAgreement(
    rows: Int, count: Int, codes: UnsafePointer<UInt32>, stride: Int, words: Int, to matrix: inout Matrix,
    compute: Compute
  ) {
    for row in 0..<rows {
      for other in 0...row {
        let differing = compute.kernels.differing_bits(codes + row * stride, codes + other * stride, Int64(words))
        matrix[row, other] += Double(count - Int(differing))
        if other < row { matrix[other, row] = matrix[row, other] }
      }
    }
  }
}
