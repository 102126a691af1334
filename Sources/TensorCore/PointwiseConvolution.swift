import CKernels

/// A dense 1×1 convolution of stride 1, and so a linear layer: matrix products on the rows of channels where they lie.
///
/// Per result the products are added from the bias (and what else is added) on in the order of the channels; the weight
/// gradient's in the order of the rows of a chunk, then of the chunks. How many chunks there are depends on the sizes alone.
enum PointwiseConvolution {
  /// Rows of one piece of the work: they stay in the second-level cache while the weights go by.
  private static let rowsPerPiece = 128
  /// Rows that a call of the weight gradient sums, so that both operands stay in the first-level cache.
  private static let rowsPerSum = 64

  /// Floats of scratch, for all workers, that the three operations need at most.
  static func scratchFloats(_ g: ConvolutionGeometry, compute: Compute) -> Int {
    let inputs = paddedChannels(g.inputChannels), outputs = paddedChannels(g.outputChannels)
    let products = max(
      panels(outputs) * g.inputChannels + panels(outputs), panels(inputs) * g.outputChannels + panels(inputs))
    let sums = Chunks(g, compute).count * g.inputChannels * outputs
    return max(
      products + compute.threads * rowsPerPiece * inputs,
      sums + compute.threads * rowsPerSum * MatrixProduct.panelColumns)
  }

  private static func panels(_ lanes: Int) -> Int { (lanes + 31) / 32 * 32 }

  /// Whether `forward` can read a source and finish results like this.
  static func serves(_ source: Convolution.Source, _ epilogue: Convolution.Epilogue) -> Bool {
    (source.isPlain || source.isClamped) && epilogue.mask == nil && epilogue.mean == nil
  }

  /// - Parameter weight: dense, or as `DirectConvolution` prepares them.
  static func forward(
    _ g: ConvolutionGeometry, input: Convolution.Source, weight: Convolution.Weight, epilogue: Convolution.Epilogue,
    output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let product = MatrixProduct(rows: g.input.rows, columns: g.outputChannels, depth: g.inputChannels)
    let packed: PackedColumns
    switch weight {
    case .dense(let dense):
      packed = PackedColumns(product, dense, g.outputChannels, into: scratch, compute)
    case .prepared(let given):
      let width = 16 * g.forwardTaps(compute).vectors
      packed = PackedColumns(pointer: given, width: width, endsAtVector: true)
    }
    run(
      product, input, g.input.pixelStride, packed, epilogue, output, g.output.pixelStride,
      scratch: scratch + panels(g.output.pixelStride) * g.inputChannels, compute)
  }

  static func inputGradient(
    _ g: ConvolutionGeometry, outputGradient: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let product = MatrixProduct(
      rows: g.input.rows, columns: g.inputChannels, depth: g.outputChannels, transposesRight: true)
    run(
      product, Convolution.Source(outputGradient), g.output.pixelStride,
      PackedColumns(product, weight, g.outputChannels, into: scratch, compute), Convolution.Epilogue(), inputGradient,
      g.input.pixelStride, scratch: scratch + panels(g.input.pixelStride) * g.outputChannels, compute)
  }

  /// Columns of the right matrix in panels, one after the other: `[panel][depth][width]`.
  private struct PackedColumns {
    let pointer: UnsafePointer<Float>
    /// Columns of a panel.
    let width: Int
    /// Whether the last panel ends with its last vector.
    let endsAtVector: Bool

    init(pointer: UnsafePointer<Float>, width: Int, endsAtVector: Bool) {
      (self.pointer, self.width, self.endsAtVector) = (pointer, width, endsAtVector)
    }

    /// Packs a dense matrix.
    init(
      _ product: MatrixProduct, _ dense: UnsafePointer<Float>, _ row: Int, into panels: UnsafeMutablePointer<Float>,
      _ compute: Compute
    ) {
      product.pack(dense, row, into: panels, compute)
      self.init(pointer: panels, width: MatrixProduct.panelColumns, endsAtVector: false)
    }

    /// Floats from a row of the panel with some columns to the next.
    func rowFloats(columns: Int) -> Int { endsAtVector ? paddedChannels(columns) : width }
  }

  /// - Parameter scratch: for the bias, and behind that for the rows that each worker makes.
  private static func run(
    _ product: MatrixProduct, _ left: Convolution.Source, _ leftRow: Int, _ right: PackedColumns,
    _ epilogue: Convolution.Epilogue, _ result: UnsafeMutablePointer<Float>, _ resultRow: Int,
    scratch: UnsafeMutablePointer<Float>, _ compute: Compute
  ) {
    if let bias = epilogue.bias {
      scratch.update(repeating: 0, count: panels(resultRow))
      scratch.update(from: bias, count: product.columns)
    }
    let made = scratch + panels(resultRow)
    compute.forEachChunk((product.rows + rowsPerPiece - 1) / rowsPerPiece) { piece, worker in
      let row = piece * rowsPerPiece, rows = min(rowsPerPiece, product.rows - row)
      var job = nr_product_job()
      job.a = left.rows(from: row, count: rows, leftRow, scratch: made + worker * rowsPerPiece * leftRow, compute)
      (job.rows, job.depth) = (Int64(rows), Int64(product.depth))
      (job.a_row, job.a_step) = (Int64(leftRow), 1)
      (job.clamps, job.low, job.high) = (epilogue.clamps ? 1 : 0, epilogue.low, epilogue.high)
      job.result_row = Int64(resultRow)
      for first in stride(from: 0, to: product.columns, by: right.width) {
        let place = row * resultRow + first, columns = min(right.width, product.columns - first)
        job.b = right.pointer + first * product.depth
        job.b_row = Int64(right.rowFloats(columns: columns))
        job.start = epilogue.bias == nil ? nil : UnsafePointer(scratch + first)
        job.addend = epilogue.addend.map { $0 + place }
        job.result = result + place
        job.lanes = Int64(columns)
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

extension Convolution.Source {
  /// Rows of channels, where they lie or clamped in scratch.
  fileprivate func rows(
    from first: Int, count: Int, _ rowFloats: Int, scratch: UnsafeMutablePointer<Float>, _ compute: Compute
  ) -> UnsafePointer<Float> {
    let rows: UnsafePointer<Float> = job.image + first * rowFloats
    if isPlain { return rows }
    compute.kernels.unary(NR_CLAMP.rawValue, rows, job.low, job.high, scratch, Int64(count * rowFloats))
    return UnsafePointer(scratch)
  }
}
