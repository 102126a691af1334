import CKernels
import CPUFeatures
import Diagnostics
import KernelsAVX2
import KernelsAVX512
import KernelsAVX512BF16
import KernelsBase

/// An instruction set that the kernels are compiled for.
///
/// `avx512` and `avx2` give the same bits; `base`, without fused multiply-add, is another numerics.
///
/// All of them compute in fp32. What bfloat16 (AVX512-BF16) would bring was measured in November 2026 on a Zen 5 core
/// against these kernels: 3×3 convolutions 1.14 to 1.18 times as fast as Winograd in fp32 (2.0 times as fast as the
/// direct kernel), linear layers by themselves 1.7 to 2.4 times, passes of batch norm and ReLU over memory 1.6 to 1.9
/// times. Convolutions are most of a cell's training step and stay below 1.3; linear layers are where it could pay, with
/// fp32 copies of the weights and a numerics of its own.
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
    case .avx512:
      nr_cpu_has_avx512_bf16() != 0
        ? KernelsAVX512BF16.kernelTable(over: KernelsAVX512.kernelTable()) : KernelsAVX512.kernelTable()
    case .avx2: KernelsAVX2.kernelTable()
    case .base: KernelsBase.kernelTable()
    }
  }
}
