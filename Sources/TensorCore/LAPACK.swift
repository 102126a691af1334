import Diagnostics

/// The functions of LAPACK and BLAS in double precision that `Matrix` is built on, from the OpenBLAS that `BLAS` loads:
/// one thread, a fixed core, so that equal inputs give equal bits.
///
/// They are Fortran's: every argument is a pointer, matrices are column-major, and the length of each text follows the
/// other arguments.
struct LAPACK: Sendable {
  typealias Integers = UnsafeMutablePointer<Int32>
  typealias Doubles = UnsafeMutablePointer<Double>
  /// An integer that is only read; `[n]` is one.
  typealias Count = UnsafePointer<Int32>
  typealias Text = UnsafePointer<CChar>

  typealias DSYEVD =
    @convention(c) (
      Text, Text, Count, Doubles, Count, Doubles, Doubles, Count, Integers, Count, Integers, Int, Int
    ) -> Void
  typealias DGESDD =
    @convention(c) (
      Text, Count, Count, Doubles, Count, Doubles, Doubles, Count, Doubles, Count, Doubles, Count, Integers, Integers,
      Int
    ) -> Void
  typealias DGETRF = @convention(c) (Count, Count, Doubles, Count, Integers, Integers) -> Void
  typealias DPOTRF = @convention(c) (Text, Count, Doubles, Count, Integers, Int) -> Void
  typealias DGESV = @convention(c) (Count, Count, Doubles, Count, Integers, Doubles, Count, Integers) -> Void
  typealias DGELSD =
    @convention(c) (
      Count, Count, Count, Doubles, Count, Doubles, Count, Doubles, UnsafePointer<Double>, Integers, Doubles, Count,
      Integers, Integers
    ) -> Void
  private typealias DGEMM =
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Double, UnsafePointer<Double>?, Int32, UnsafePointer<Double>?, Int32,
      Double, Doubles?, Int32
    ) -> Void

  let eigenvalues: DSYEVD
  let singularValues: DGESDD
  let factorise: DGETRF
  let cholesky: DPOTRF
  let solve: DGESV
  let leastSquares: DGELSD
  private let product: DGEMM

  /// The functions, looked up once. Throws a `usage` fault when OpenBLAS isn't installed.
  static var shared: LAPACK {
    get throws { try found.get() }
  }

  private static let found = Result { try LAPACK(BLAS.shared) }

  private init(_ blas: BLAS) throws {
    eigenvalues = try blas.function("dsyevd_")
    singularValues = try blas.function("dgesdd_")
    factorise = try blas.function("dgetrf_")
    cholesky = try blas.function("dpotrf_")
    solve = try blas.function("dgesv_")
    leastSquares = try blas.function("dgelsd_")
    product = try blas.function("cblas_dgemm")
  }

  /// C = A · op(B), or C + A · op(B) with `adding`: `m × k` by `k × n`, row-major.
  func multiply(
    _ m: Int, _ k: Int, _ n: Int, _ a: [Double], _ b: [Double], transposingRight: Bool, adding: Bool = false,
    to c: inout [Double]
  ) {
    let rowMajor: Int32 = 101, plain: Int32 = 111, transposed: Int32 = 112
    product(
      rowMajor, plain, transposingRight ? transposed : plain, Int32(m), Int32(n), Int32(k), 1, a, Int32(k), b,
      Int32(transposingRight ? k : n), adding ? 1 : 0, &c, Int32(n))
  }

  /// Calls a function of LAPACK twice: to ask how much workspace it wants, and with that much. Returns its `info`.
  static func withWorkspace(
    integers least: Int = 1,
    _ body: (_ work: Doubles, _ size: Count, _ integers: Integers, _ integerSize: Count, _ info: Integers) -> Void
  ) -> Int32 {
    var info: Int32 = 0, work = [0.0], integers = [Int32](repeating: 0, count: max(1, least))
    body(&work, [-1], &integers, [-1], &info)
    guard info == 0 else { return info }
    let size = max(1, Int(work[0])), integerSize = max(1, least, Int(integers[0]))
    work = [Double](repeating: 0, count: size)
    integers = [Int32](repeating: 0, count: integerSize)
    body(&work, [Int32(size)], &integers, [Int32(integerSize)], &info)
    return info
  }
}
