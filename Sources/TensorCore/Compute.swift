import CKernels
import Canonical
import Diagnostics

/// What numeric operations run on: the kernels of one instruction set and a pool of threads.
///
/// The number of threads never changes a result: work is cut into chunks whose number depends on the shape alone, and
/// partial sums are added in chunk order. A `Compute` serves one thread at a time; give each concurrent trial its own.
public final class Compute: Sendable {
  /// The version of the numeric contract. It grows with every change that alters the bits of a result.
  public static let numericsVersion = 3

  /// The instruction set in use.
  public let kernelSet: KernelSet
  /// Threads that share the chunks, the calling one included.
  public let threads: Int

  let kernels: nr_kernels
  private let pool: WorkerPool?

  /// Creates a compute.
  ///
  /// - Parameters:
  ///   - kernels: The instruction set; by default the fastest that this CPU has.
  ///   - threads: How many threads share the work, from 1 (the default: everything on the calling thread) to 256.
  /// - Throws: A `usage` fault when the CPU lacks the instruction set or the number of threads is out of range.
  public init(kernels set: KernelSet? = nil, threads: Int = 1) throws {
    let set = set ?? .best
    guard set.isAvailable else {
      throw Fault(
        .usage, "this CPU can't run the \(set.rawValue) kernels",
        expected: KernelSet.available.map(\.rawValue).joined(separator: " or "), got: set.rawValue)
    }
    guard (1...256).contains(threads) else {
      throw Fault(.usage, "wrong number of threads", expected: "1 to 256", got: "\(threads)")
    }
    kernelSet = set
    self.threads = threads
    kernels = set.table
    pool = threads > 1 ? WorkerPool(helpers: threads - 1) : nil
  }

  /// One thread and other functions in the place of a set's: what tells a test which of them run.
  init(_ table: nr_kernels, of set: KernelSet) {
    (kernelSet, threads, kernels, pool) = (set, 1, table, nil)
  }

  /// Calls `body(chunk, worker)` once for each chunk in `0..<chunks`, on any thread and in any order, and returns when
  /// all are done.
  ///
  /// Calls with the same worker (in `0..<threads`) never overlap, so that a worker may own a part of a scratch buffer.
  /// The body must write only what belongs to its chunk or its worker.
  public func forEachChunk(_ chunks: Int, _ body: (_ chunk: Int, _ worker: Int) -> Void) {
    if let pool, chunks > 1 {
      pool.run(chunks, body)
    } else {
      for chunk in 0..<chunks { body(chunk, 0) }
    }
  }

  /// What the bits of a result depend on besides the operation and its inputs: `{version, fma, blas}`.
  ///
  /// `blas` is the name of the matrix-product core, or null where OpenBLAS is not installed.
  public var numerics: JSONValue {
    let blas = (try? BLAS.shared).map { JSONValue.string($0.coreName) } ?? .null
    return ["version": .int(Self.numericsVersion), "fma": .bool(kernelSet.fusesMultiplyAdd), "blas": blas]
  }
}
