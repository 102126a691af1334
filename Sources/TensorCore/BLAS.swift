import Diagnostics
import Glibc

/// OpenBLAS, opened when first needed: linear algebra in double precision.
///
/// The library is told its core and one thread before it is loaded, because it would choose the core by a list of CPU
/// models that lacks the new ones, and because its bits depend on both. The core follows the CPU (SkylakeX where it
/// has AVX-512, Haswell where it has AVX2, else Prescott) and is the same for every `Compute` of a process.
public struct BLAS: Sendable {
  private typealias CoreName = @convention(c) () -> UnsafePointer<CChar>?

  /// The name of the core in use: `SkylakeX`, `Haswell`, …
  public let coreName: String
  /// The address of the loaded library, for `dlsym`.
  private let address: UInt

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
    guard let name = dlsym(handle, "openblas_get_corename") else {
      throw Fault(.usage, "\(library) lacks openblas_get_corename", hint: hint)
    }
    address = UInt(bitPattern: handle)
    coreName = unsafeBitCast(name, to: CoreName.self)().map { String(cString: $0) } ?? core
  }

  /// The function of a name in the library, as a function of type `F`. Throws a `usage` fault when it isn't there.
  func function<F>(_ name: String, as type: F.Type = F.self) throws -> F {
    guard let symbol = dlsym(UnsafeMutableRawPointer(bitPattern: address), name) else {
      throw Fault(.usage, "libopenblas.so.0 lacks \(name)", hint: "Install it: apt-get install libopenblas0-pthread.")
    }
    return unsafeBitCast(symbol, to: type)
  }
}
