import Diagnostics
import Glibc

/// Matrix products by OpenBLAS, opened when first needed.
///
/// The library is told its core and one thread before it is loaded, because it would choose the core by a list of CPU
/// models that lacks the new ones, and because its bits depend on both. The core follows the CPU (SkylakeX where it
/// has AVX-512, Haswell where it has AVX2, else Prescott) and is the same for every `Compute` of a process.
public struct BLAS: Sendable {
  private typealias SGEMM =
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>?, Int32, UnsafePointer<Float>?, Int32,
      Float,
      UnsafeMutablePointer<Float>?, Int32
    ) -> Void
  private typealias CoreName = @convention(c) () -> UnsafePointer<CChar>?

  /// The name of the core in use: `SkylakeX`, `Haswell`, …
  public let coreName: String
  private let function: SGEMM
  /// The address of the loaded library, for `dlsym`.
  private let library: UInt

  /// The library, loaded once. Throws a `usage` fault when it isn't installed.
  public static var shared: BLAS {
    get throws { try loaded.get() }
  }

  private static let loaded = Result { () throws(Fault) in try BLAS(library: "libopenblas.so.0") }

  private init(library: String) throws(Fault) {
    let core = KernelSet.avx512.isAvailable ? "SkylakeX" : KernelSet.avx2.isAvailable ? "Haswell" : "Prescott"
    setenv("OPENBLAS_CORETYPE", core, 1)
    setenv("OPENBLAS_NUM_THREADS", "1", 1)
    let hint = "Install it: apt-get install libopenblas0-pthread."
    guard let handle = dlopen(library, RTLD_NOW | RTLD_LOCAL) else {
      throw Fault(.usage, "can't load \(library)", hint: hint, cause: dlerror().map { String(cString: $0) })
    }
    guard let sgemm = dlsym(handle, "cblas_sgemm"), let name = dlsym(handle, "openblas_get_corename") else {
      throw Fault(.usage, "\(library) lacks cblas_sgemm", hint: hint)
    }
    function = unsafeBitCast(sgemm, to: SGEMM.self)
    self.library = UInt(bitPattern: handle)
    coreName = unsafeBitCast(name, to: CoreName.self)().map { String(cString: $0) } ?? core
  }

  /// The function of a name in the library, as a function of type `F`. Throws a `usage` fault when it isn't there.
  func function<F>(_ name: String, as type: F.Type = F.self) throws -> F {
    guard let symbol = dlsym(UnsafeMutableRawPointer(bitPattern: library), name) else {
      throw Fault(.usage, "libopenblas.so.0 lacks \(name)", hint: "Install it: apt-get install libopenblas0-pthread.")
    }
    return unsafeBitCast(symbol, to: type)
  }

  /// C = alpha · op(A) · op(B) + beta · C, row-major, on the calling thread.
  ///
  /// - Parameters:
  ///   - transposeA: op(A) is the transpose of `a`; likewise `transposeB`.
  ///   - m: Rows of op(A) and C.
  ///   - n: Columns of op(B) and C.
  ///   - k: Columns of op(A), rows of op(B).
  ///   - lda: Floats from a row of `a` to the next; likewise `ldb`, `ldc`.
  public func sgemm(
    transposeA: Bool = false, transposeB: Bool = false, m: Int, n: Int, k: Int, alpha: Float = 1,
    a: UnsafePointer<Float>, lda: Int, b: UnsafePointer<Float>, ldb: Int, beta: Float = 0,
    c: UnsafeMutablePointer<Float>, ldc: Int
  ) {
    let rowMajor: Int32 = 101
    func operation(_ transpose: Bool) -> Int32 { transpose ? 112 : 111 }
    function(
      rowMajor, operation(transposeA), operation(transposeB), Int32(m), Int32(n), Int32(k), alpha, a, Int32(lda), b,
      Int32(ldb), beta, c, Int32(ldc))
  }
}
