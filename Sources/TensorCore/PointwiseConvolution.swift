import CKernels

/// A dense 1×1 convolution of stride 1, and so a linear layer: matrix products on the rows of channels where they lie.
///
/// Per result the products are added from the bias on in the order of the channels; the weight gradient's in the order
/// of the rows of a chunk, then of the chunks. How many chunks there are depends on the sizes alone.
enum PointwiseConvolution {
  /// Rows of one piece of the work: they stay in the second-level cache while the weights go by.
  private static let rowsPerPiece = 128
  /// Rows that a call of the weight gradient sums, so that both operands stay in the first-level cache.
  private static let rowsPerSum = 64

  /// Floats of scratch, for all workers, that the three operations need at most.
  static func scratchFloats(_ g: ConvolutionGeometry, compute: Compute) -> Int {
    let inputs = paddedChannels(g.inputChannels), outputs = paddedChannels(g.outputChannels)
    let products = max(
      panels(outputs) * g.inputChannels + outputs + 16, panels(inputs) * g.outputChannels + inputs + 16)
    let sums = Chunks(g, compute).count * g.inputChannels * outputs
    return max(products, sums + compute.threads * rowsPerSum * MatrixProduct.panelColumns)
  }

  private static func panels(_ lanes: Int) -> Int { (lanes + 31) / 32 * 32 }

  static func forward(
    _ g: ConvolutionGeometry, input: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let product = MatrixProduct(rows: g.input.rows, columns: g.outputChannels, depth: g.inputChannels)
    run(
      product, input, g.input.pixelStride, weight, g.outputChannels, bias: bias, output, g.output.pixelStride,
      scratch: scratch, compute)
  }

  static func inputGradient(
    _ g: ConvolutionGeometry, outputGradient: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let product = MatrixProduct(
      rows: g.input.rows, columns: g.inputChannels, depth: g.outputChannels, transposesRight: true)
    run(
      product, outputGradient, g.output.pixelStride, weight, g.outputChannels, bias: nil, inputGradient,
      g.input.pixelStride, scratch: scratch, compute)
  }

  private static func run(
    _ product: MatrixProduct, _ left: UnsafePointer<Float>, _ leftRow: Int, _ weight: UnsafePointer<Float>,
    _ weightRow: Int, bias: UnsafePointer<Float>?, _ result: UnsafeMutablePointer<Float>, _ resultRow: Int,
    scratch: UnsafeMutablePointer<Float>, _ compute: Compute
  ) {
    let start = scratch + panels(paddedChannels(product.columns)) * product.depth
    product.pack(weight, weightRow, into: scratch, compute)
    if let bias {
      start.update(repeating: 0, count: panels(resultRow))
      start.update(from: bias, count: product.columns)
    }
    compute.forEachChunk((product.rows + rowsPerPiece - 1) / rowsPerPiece) { piece, _ in
      let row = piece * rowsPerPiece
      var job = nr_product_job()
      job.a = left + row * leftRow
      (job.rows, job.depth) = (Int64(min(rowsPerPiece, product.rows - row)), Int64(product.depth))
      (job.a_row, job.a_step, job.b_row) = (Int64(leftRow), 1, Int64(MatrixProduct.panelColumns))
      job.result_row = Int64(resultRow)
      for first in stride(from: 0, to: product.columns, by: MatrixProduct.panelColumns) {
        job.b = UnsafePointer(scratch + first * product.depth)
        job.start = bias == nil ? nil : UnsafePointer(start + first)
        job.result = result + row * resultRow + first
        job.lanes = Int64(min(MatrixProduct.panelColumns, product.columns - first))
        compute.kernels.product(&job)
      }
    }
  }

  // MARK: - The weight gradient

  /// The rows of each chunk, those of `ConvolutionWeightGradient`, so that either way gives the same bits.
  private struct Chunks {
    let count: Int
    private let rows: Int, units: Int, unitRows: Int

    init(_ g: ConvolutionGeometry, _ compute: Compute) {
      let plan = g.forwardTaps(compute)
      (rows, units, unitRows) = (g.input.rows, plan.units, plan.stripColumns)
      count = max(1, min(maximalChunks, units, (1 << 22) / g.weightCount))
    }

    subscript(chunk: Int) -> Range<Int> {
      min(rows, units * chunk / count * unitRows)..<min(rows, units * (chunk + 1) / count * unitRows)
    }
  }

  static func weightGradient(
    _ g: ConvolutionGeometry, input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let chunks = Chunks(g, compute), width = g.output.pixelStride, copy = g.inputChannels * width
    let workers = scratch + chunks.count * copy
    compute.forEachChunk(chunks.count) { chunk, worker in
      let panel = workers + worker * rowsPerSum * MatrixProduct.panelColumns
      compute.kernels.fill(0, scratch + chunk * copy, Int64(copy))
      let rows = chunks[chunk]
      for row in stride(from: rows.lowerBound, to: rows.upperBound, by: rowsPerSum) {
        sum(
          g, min(rowsPerSum, rows.upperBound - row), input + row * g.input.pixelStride, outputGradient + row * width,
          into: scratch + chunk * copy, panel, compute.kernels)
      }
    }
    for chunk in 1..<max(1, chunks.count) {
      compute.kernels.accumulate(scratch + chunk * copy, 1, scratch, Int64(copy))
    }
    compute.kernels.copy_channels(
      scratch, Int64(width), weightGradient, Int64(g.outputChannels), Int64(g.inputChannels), Int64(g.outputChannels),
      0)
  }

  /// Adds the products of a few rows, one panel of the gradient's channels after the other.
  private static func sum(
    _ g: ConvolutionGeometry, _ rows: Int, _ input: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>,
    into sums: UnsafeMutablePointer<Float>, _ panel: UnsafeMutablePointer<Float>, _ kernels: nr_kernels
  ) {
    let width = g.output.pixelStride
    var job = nr_product_job()
    (job.a, job.rows, job.depth) = (input, Int64(g.inputChannels), Int64(rows))
    (job.a_row, job.a_step) = (1, Int64(g.input.pixelStride))
    (job.b, job.b_row) = (UnsafePointer(panel), Int64(MatrixProduct.panelColumns))
    (job.result_row, job.accumulates) = (Int64(width), 1)
    for first in stride(from: 0, to: width, by: MatrixProduct.panelColumns) {
      let lanes = min(MatrixProduct.panelColumns, width - first)
      kernels.copy_channels(
        gradient + first, Int64(width), panel, Int64(MatrixProduct.panelColumns), Int64(rows), Int64(lanes), 0)
      (job.result, job.lanes) = (sums + first, Int64(lanes))
      kernels.product(&job)
    }
  }
}
