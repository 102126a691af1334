import CKernels

// Products of pairs in bfloat16 on CPUs without an instruction for them, with the bits of those that have it: a product
// of two such numbers is exact in single precision, the first is added before the second, and numbers too small to be
// normal count as zero.

private enum PairTerms: ProductTerms {
  @inline(__always)
  static func add(_ x: Lanes, _ w: Lanes, _ sum: Lanes) -> Lanes {
    fused(lower(x), lower(w), fused(upper(x), upper(w), sum))
  }
}

@inline(__always)
private func upper(_ words: Lanes) -> Lanes { masked(words, LaneBits(repeating: 0xffff_0000)) }

@inline(__always)
private func lower(_ words: Lanes) -> Lanes {
  unsafeBitCast(unsafeBitCast(words, to: LaneBits.self) &<< 16, to: Lanes.self)
}

/// Never inlined, so that nothing of it is computed before or after the mode is another.
@inline(never)
private func productOfPairs(_ pointer: UnsafePointer<nr_product_job>) { product(PairTerms.self, pointer) }

func pairProduct(_ pointer: UnsafePointer<nr_product_job>) {
  let mode = nr_flush_subnormals()
  productOfPairs(pointer)
  nr_restore_rounding(mode)
}
