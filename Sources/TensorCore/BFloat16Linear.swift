import CKernels

/// The three products of a linear layer with operands rounded to bfloat16 and sums in single precision (mixed precision:
/// Kalamkar et al. 2019, "A Study of BFLOAT16 for Deep Learning Training", section 3).
///
/// Rows of activations and their gradients are channel-padded, weights dense `[inputs][outputs]`; all are in single
/// precision in memory, the copies in bfloat16 are in scratch. Per result the products are added from the bias on in the
/// order of the channels; the weight gradient's in the order of the rows of a chunk, then of the chunks. So the results
/// are those of single precision on the rounded operands, the same bits on every instruction set, but that subnormal
/// numbers count as zero.
public struct BFloat16Linear: Sendable {
  /// Rows of activations, and the channels of a row before and after the layer.
  public let rows: Int, inputs: Int, outputs: Int

  /// Rows of one piece of the work: they stay in the second-level cache while the weights go by.
  private static let rowsPerPiece = 128
  /// Rows that a call of the weight gradient sums.
  private static let rowsPerSum = 128
  /// Rows of the smallest chunk of a weight gradient.
  private static let rowsPerChunk = 256

  public init(rows: Int, inputs: Int, outputs: Int) {
    (self.rows, self.inputs, self.outputs) = (rows, inputs, outputs)
  }

  private var inputRow: Int { paddedChannels(inputs) }
  private var outputRow: Int { paddedChannels(outputs) }

  /// Fewer chunks for large weights, whose copies would take more memory than the rows.
  private var chunks: Int {
    max(1, min(maximalChunks, rows / Self.rowsPerChunk, (1 << 22) / (inputs * outputs)))
  }

  /// Columns of matrices that one kernel call multiplies with, and the words of so many columns of `pairs` pairs.
  private static let panelColumns = MatrixProduct.panelColumns
  private static func panels(_ columns: Int, pairs: Int) -> Int {
    (columns + panelColumns - 1) / panelColumns * panelColumns * pairs
  }

  /// Floats of scratch, for all workers, that each of the three operations needs.
  public func scratchFloats(compute: Compute) -> Int {
    let forward = Self.panels(outputs, pairs: (inputs + 1) / 2)
    let backward = Self.panels(inputs, pairs: (outputs + 1) / 2) + inputs * ((outputs + 1) / 2)
    let bias = Self.panels(outputs, pairs: 1)
    let products =
      max(forward, backward) + bias + compute.threads * Self.rowsPerPiece / 2 * max(inputRow, outputRow)
    let sums = chunks * inputs * outputRow + compute.threads * sumWords
    return max(products, sums)
  }

  /// output = input · weight + bias.
  public func forward(
    input: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
    output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let pairs = (inputs + 1) / 2
    Self.pairRows(
      weight, outputs, inputs, columns: outputs, into: scratch, panel: pairs * Self.panelColumns, compute.kernels)
    multiply(
      MatrixProduct(rows: rows, columns: outputs, depth: pairs), input, inputRow, panels: scratch, bias, output,
      outputRow, compute)
  }

  /// inputGradient = outputGradient · weightᵀ.
  public func inputGradient(
    outputGradient: UnsafePointer<Float>, weight: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let pairs = (outputs + 1) / 2, words = scratch + Self.panels(inputs, pairs: pairs)
    for channel in 0..<inputs {
      compute.kernels.pair_columns(weight + channel * outputs, Int64(outputs), words + channel * pairs)
    }
    let product = MatrixProduct(rows: rows, columns: inputs, depth: pairs, transposesRight: true)
    product.pack(words, pairs, into: scratch, compute)
    multiply(product, outputGradient, outputRow, panels: scratch, nil, inputGradient, inputRow, compute)
  }

  /// result = left · the packed columns + bias. Behind the panels the scratch is for the bias, and then for the rows of
  /// each worker in bfloat16.
  private func multiply(
    _ product: MatrixProduct, _ left: UnsafePointer<Float>, _ leftRow: Int, panels: UnsafeMutablePointer<Float>,
    _ bias: UnsafePointer<Float>?, _ result: UnsafeMutablePointer<Float>, _ resultRow: Int, _ compute: Compute
  ) {
    let columns = product.columns, constant = panels + Self.panels(columns, pairs: product.depth)
    let rowsOfWorkers = constant + Self.panels(columns, pairs: 1)
    if let bias {
      constant.update(repeating: 0, count: Self.panels(columns, pairs: 1))
      constant.update(from: bias, count: columns)
    }
    compute.forEachChunk((rows + Self.rowsPerPiece - 1) / Self.rowsPerPiece) { piece, worker in
      let row = piece * Self.rowsPerPiece, count = min(Self.rowsPerPiece, rows - row)
      let words = rowsOfWorkers + worker * Self.rowsPerPiece / 2 * leftRow
      compute.kernels.pair_columns(left + row * leftRow, Int64(count * leftRow), words)
      var job = nr_product_job()
      (job.a, job.rows, job.depth) = (UnsafePointer(words), Int64(count), Int64(product.depth))
      (job.a_row, job.a_step, job.b_row) = (Int64(leftRow / 2), 1, Int64(Self.panelColumns))
      job.result_row = Int64(resultRow)
      for first in stride(from: 0, to: columns, by: Self.panelColumns) {
        job.b = UnsafePointer(panels + first * product.depth)
        job.start = bias == nil ? nil : UnsafePointer(constant + first)
        job.result = result + row * resultRow + first
        job.lanes = Int64(min(Self.panelColumns, columns - first))
        compute.kernels.pair_product(&job)
      }
    }
  }

  // MARK: - The weight gradient

  /// Words that a worker pairs at a time: of the input, and of the output's gradient.
  private var sumWords: Int { Self.rowsPerSum / 2 * (inputRow + Self.panels(outputRow, pairs: 1)) }

  /// weightGradient (dense) = inputᵀ · outputGradient.
  public func weightGradient(
    input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>, weightGradient: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let chunks = chunks, copy = inputs * outputRow, workers = scratch + chunks * copy
    compute.forEachChunk(chunks) { chunk, worker in
      compute.kernels.fill(0, scratch + chunk * copy, Int64(copy))
      let end = rows * (chunk + 1) / chunks
      for row in stride(from: rows * chunk / chunks, to: end, by: Self.rowsPerSum) {
        sum(
          min(Self.rowsPerSum, end - row), input + row * inputRow, outputGradient + row * outputRow,
          into: scratch + chunk * copy, workers + worker * sumWords, compute.kernels)
      }
    }
    for chunk in 1..<max(1, chunks) {
      compute.kernels.accumulate(scratch + chunk * copy, 1, scratch, Int64(copy))
    }
    compute.kernels.copy_channels(
      scratch, Int64(outputRow), weightGradient, Int64(outputs), Int64(inputs), Int64(outputs), 0)
  }

  /// Adds the products of a few rows, one panel of the gradient's channels after the other.
  private func sum(
    _ count: Int, _ input: UnsafePointer<Float>, _ gradient: UnsafePointer<Float>,
    into sums: UnsafeMutablePointer<Float>, _ words: UnsafeMutablePointer<Float>, _ kernels: nr_kernels
  ) {
    let pairs = (count + 1) / 2, panels = words + pairs * inputRow
    Self.pairRows(
      input, inputRow, count, columns: inputRow, into: words, panel: Self.panelColumns, row: inputRow, kernels)
    Self.pairRows(
      gradient, outputRow, count, columns: outputRow, into: panels, panel: pairs * Self.panelColumns, kernels)
    var job = nr_product_job()
    (job.a, job.rows, job.depth) = (UnsafePointer(words), Int64(inputs), Int64(pairs))
    (job.a_row, job.a_step, job.b_row) = (1, Int64(inputRow), Int64(Self.panelColumns))
    (job.result_row, job.accumulates) = (Int64(outputRow), 1)
    for first in stride(from: 0, to: outputRow, by: Self.panelColumns) {
      (job.b, job.result) = (UnsafePointer(panels + first * pairs), sums + first)
      job.lanes = Int64(min(Self.panelColumns, outputRow - first))
      kernels.pair_product(&job)
    }
  }

  /// Rows in pairs of neighbours, in panels of 32 columns that are `panel` words apart and have `row` words from a pair
  /// to the next.
  private static func pairRows(
    _ values: UnsafePointer<Float>, _ valueRow: Int, _ count: Int, columns: Int,
    into words: UnsafeMutablePointer<Float>, panel: Int, row: Int = panelColumns, _ kernels: nr_kernels
  ) {
    for pair in 0..<(count + 1) / 2 {
      let first = values + 2 * pair * valueRow, second = 2 * pair + 1 < count ? first + valueRow : nil
      kernels.pair_rows(first, second, Int64(columns), words + pair * row, Int64(panel))
    }
  }
}
