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
/// All of them store and compute in fp32; the products of linear layers can have operands in bfloat16
/// (`BFloat16Linear`), for which CPUs with AVX512-BF16 have an instruction. Measured in November 2026 on a Zen 5 core
/// against these kernels, a training step of a Transformer block (width 192) is 1.45 to 1.54 times as fast with it. By
/// the shares of their profiles cells and inverted bottlenecks would gain less than 1.3 from all of this together: linear
/// maps of 16 to 96 channels, as their pointwise convolutions are, 0.93 to 1.45 times as fast; 3×3 convolutions 1.14 to
/// 1.18 times as Winograd's in fp32; passes of batch norm and ReLU over activations stored in bfloat16 1.6 to 1.9 times.
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
