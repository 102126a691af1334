import TensorCore
import Testing

@Suite struct BLASTests {
  @Test("Products agree with double precision", arguments: [false, true], [false, true])
  func sgemm(transposeA: Bool, transposeB: Bool) throws {
    let blas = try BLAS.shared
    #expect(!blas.coreName.isEmpty)
    let (m, n, k) = (7, 17, 33), (lda, ldb, ldc) = (40, 41, 19)
    let a = randomDoubles((transposeA ? k : m) * lda, "a"), b = randomDoubles((transposeB ? n : k) * ldb, "b")
    let c = randomDoubles(m * ldc, "c")
    var expected = c
    for i in 0..<m {
      for j in 0..<n {
        let products = (0..<k).map {
          a[transposeA ? $0 * lda + i : i * lda + $0] * b[transposeB ? j * ldb + $0 : $0 * ldb + j]
        }
        expected[i * ldc + j] = 0.5 * products.reduce(0, +) + 2 * c[i * ldc + j]
      }
    }
    let left = GuardedBuffer(floats(a)), right = GuardedBuffer(floats(b)), result = GuardedBuffer(floats(c))
    blas.sgemm(
      transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k, alpha: 0.5, a: left.pointer,
      lda: lda, b: right.pointer, ldb: ldb, beta: 2, c: result.pointer, ldc: ldc)
    #expect(worstError(result.values, expected) < 1e-6)
  }
}
