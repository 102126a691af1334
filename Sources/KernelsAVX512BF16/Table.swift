import CKernels

private enum PairTerms: ProductTerms {
  @inline(__always)
  static func add(_ x: Lanes, _ w: Lanes, _ sum: Lanes) -> Lanes { nr_add_pair_products(x, w, sum) }
}

/// The table of AVX-512 with the functions that this module has in the place of its own.
public func kernelTable(over table: nr_kernels) -> nr_kernels {
  var table = table
  table.pair_product = { product(PairTerms.self, $0!) }
  return table
}
