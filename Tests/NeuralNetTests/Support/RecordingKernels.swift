import CKernels

@testable import TensorCore

/// The kernels of the fastest set, each noted by its name in the table when it is called.
///
/// One at a time, on one thread: a function of the table has no place for anything of its own.
enum RecordingKernels {
  /// The kernels that were called.
  static var called: Set<String> { noted }

  /// The names in the table.
  static let names = Set(Mirror(reflecting: nr_kernels()).children.compactMap(\.label)).subtracting(["vectors"])

  /// A compute whose kernels are noted from now on.
  static func compute() -> Compute {
    (real, noted) = (KernelSet.best.table, [])
    var table = real
    convolution(&table)
    rows(&table)
    elements(&table)
    losses(&table)
    return Compute(table, of: .best)
  }

  private static func convolution(_ table: inout nr_kernels) {
    table.border = { note("border").border($0) }
    table.epilogue = { note("epilogue").epilogue($0) }
    table.pack = { note("pack").pack($0) }
    table.unpack = { note("unpack").unpack($0) }
    table.taps = { note("taps").taps($0) }
    table.weight_gradient = { note("weight_gradient").weight_gradient($0) }
    table.winograd_source = { note("winograd_source").winograd_source($0) }
    table.winograd_result = { note("winograd_result").winograd_result($0) }
    table.winograd_gradient = { note("winograd_gradient").winograd_gradient($0) }
    table.winograd_weight = { note("winograd_weight").winograd_weight($0, $1, $2, $3) }
    table.winograd_weight_gradient = { note("winograd_weight_gradient").winograd_weight_gradient($0, $1, $2, $3) }
    table.depthwise = { note("depthwise").depthwise($0) }
    table.depthwise_gradient = { note("depthwise_gradient").depthwise_gradient($0) }
  }

  private static func rows(_ table: inout nr_kernels) {
    table.product = { note("product").product($0) }
    table.pair_product = { note("pair_product").pair_product($0) }
    table.pair_columns = { note("pair_columns").pair_columns($0, $1, $2) }
    table.pair_rows = { note("pair_rows").pair_rows($0, $1, $2, $3, $4) }
    table.row_product = { note("row_product").row_product($0, $1, $2, $3, $4, $5) }
    table.row_dots = { note("row_dots").row_dots($0, $1, $2, $3, $4, $5) }
    table.max_pool = { note("max_pool").max_pool($0) }
    table.max_pool_gradient = { note("max_pool_gradient").max_pool_gradient($0) }
    table.average_pool = { note("average_pool").average_pool($0) }
    table.average_pool_gradient = { note("average_pool_gradient").average_pool_gradient($0) }
    table.moments = { note("moments").moments($0, $1, $2, $3, $4, $5) }
    table.normalised_sum = { note("normalised_sum").normalised_sum($0) }
    table.normalised_dots = { note("normalised_dots").normalised_dots($0) }
    table.normalise_sums = { note("normalise_sums").normalise_sums($0) }
    table.normalise_gradient = { note("normalise_gradient").normalise_gradient($0) }
    table.layer_norm = { note("layer_norm").layer_norm($0) }
    table.layer_norm_gradient = { note("layer_norm_gradient").layer_norm_gradient($0) }
    table.lstm = { note("lstm").lstm($0) }
    table.lstm_gradient = { note("lstm_gradient").lstm_gradient($0) }
  }

  private static func elements(_ table: inout nr_kernels) {
    table.fill = { note("fill").fill($0, $1, $2) }
    table.scale = { note("scale").scale($0, $1, $2, $3) }
    table.accumulate = { note("accumulate").accumulate($0, $1, $2, $3) }
    table.unary = { note("unary").unary($0, $1, $2, $3, $4, $5) }
    table.binary = { note("binary").binary($0, $1, $2, $3, $4, $5, $6, $7, $8) }
    table.sum = { note("sum").sum($0, $1, $2, $3) }
    table.copy_channels = { note("copy_channels").copy_channels($0, $1, $2, $3, $4, $5, $6) }
    table.sum_rows = { note("sum_rows").sum_rows($0, $1, $2, $3) }
    table.softmax = { note("softmax").softmax($0, $1, $2, $3, $4) }
    table.softmax_gradient = { note("softmax_gradient").softmax_gradient($0, $1, $2, $3, $4, $5) }
    table.log_softmax_gradient = { note("log_softmax_gradient").log_softmax_gradient($0, $1, $2, $3, $4, $5) }
  }

  private static func losses(_ table: inout nr_kernels) {
    table.row_dot = { note("row_dot").row_dot($0, $1, $2, $3, $4, $5, $6) }
    table.sign_codes = { note("sign_codes").sign_codes($0, $1, $2) }
    table.differing_bits = { note("differing_bits").differing_bits($0, $1, $2) }
    table.exponentials = { note("exponentials").exponentials($0, $1, $2, $3) }
    table.affine = { note("affine").affine($0, $1, $2, $3) }
    table.sgd = { note("sgd").sgd($0) }
    table.adam = { note("adam").adam($0) }
    table.dot = { note("dot").dot($0, $1, $2) }
  }
}

nonisolated(unsafe) private var noted: Set<String> = []
nonisolated(unsafe) private var real = nr_kernels()

/// The real table, for a function that is called.
private func note(_ name: String) -> nr_kernels {
  noted.insert(name)
  return real
}
