import CKernels
import CPUFeatures
import Diagnostics
import KernelsAVX2
import KernelsAVX512
import KernelsBase

/// An instruction set that the kernels are compiled for.
///
/// `avx512` and `avx2` give the same bits; `base`, without fused multiply-add, is another numerics.
public enum KernelSet: String, Sendable, CaseIterable {
  /// AVX-512 (F, DQ, BW, VL).
  case avx512
  /// AVX2 with fused multiply-add.
  case avx2
  /// The baseline of x86-64.
  case base

  /// The sets that this CPU can run, fastest first.
  public static var available: [KernelSet] { allCases.filter(\.isAvailable) }

  /// The fastest set that this CPU can run.
  public static var best: KernelSet { available[0] }

  /// Whether this CPU can run the set.
  public var isAvailable: Bool {
    switch self {
    case .avx512: nr_cpu_has_avx512() != 0
    case .avx2: nr_cpu_has_avx2() != 0
    case .base: true
    }
  }

  /// Whether `a * b + c` is rounded once.
  public var fusesMultiplyAdd: Bool { self != .base }

  var table: nr_kernels {
    switch self {
    case .avx512: KernelsAVX512.kernelTable()
    case .avx2: KernelsAVX2.kernelTable()
    case .base: KernelsBase.kernelTable()
    }
  }
}
