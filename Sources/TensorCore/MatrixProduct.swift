import CKernels

/// Products of dense single-precision matrices, `op(A) · op(B)`, by one family of kernels.
///
/// Per element of the result the products are added in the order of the depth, whatever the sizes; but with up to
/// `fewRows` rows and B transposed they are 16 sums, of the depths of each remainder by 16, which are added as a tree.
public struct MatrixProduct: Sendable {
  /// The sizes: op(A) is `rows × depth`, op(B) `depth × columns`.
  public let rows: Int, columns: Int, depth: Int
  public let transposesLeft: Bool, transposesRight: Bool

  /// Up to so many rows B is read once, in place: packing it would cost more than the product.
  private static let fewRows = 2
  /// Columns that one kernel call makes.
  static let panelColumns = 32

  public init(rows: Int, columns: Int, depth: Int, transposesLeft: Bool = false, transposesRight: Bool = false) {
    (self.rows, self.columns, self.depth) = (rows, columns, depth)
    (self.transposesLeft, self.transposesRight) = (transposesLeft, transposesRight)
  }

  /// Floats of scratch that one product needs: B's columns in panels, a panel of the result, and a row of A.
  public var scratchFloats: Int {
    let panels = (columns + Self.panelColumns - 1) / Self.panelColumns
    return panels * depth * Self.panelColumns + rows * Self.panelColumns + paddedChannels(depth)
  }

  /// The matrices of one product, row-major, with the floats from a row to the next.
  public struct Operands {
    public var left: UnsafePointer<Float>, leftRow: Int
    public var right: UnsafePointer<Float>, rightRow: Int
    public var result: UnsafeMutablePointer<Float>, resultRow: Int

    public init(
      left: UnsafePointer<Float>, leftRow: Int, right: UnsafePointer<Float>, rightRow: Int,
      result: UnsafeMutablePointer<Float>, resultRow: Int
    ) {
      (self.left, self.leftRow, self.right, self.rightRow) = (left, leftRow, right, rightRow)
      (self.result, self.resultRow) = (result, resultRow)
    }
  }

  /// result = op(A) · op(B), on the calling thread. Result rows of `paddedChannels(columns)` floats end with zeros.
  ///
  /// - Parameters:
  ///   - isPart: the result's columns are a part of longer rows: nothing else of these is written.
  ///   - packed: whether the scratch holds this B from the product before.
  ///   - scratch: `scratchFloats` floats.
  public func run(
    _ operands: Operands, isPart: Bool = false, packed: Bool = false, scratch: UnsafeMutablePointer<Float>,
    compute: Compute
  ) {
    let isPadded = !isPart && operands.resultRow == paddedChannels(columns)
    if rows <= Self.fewRows { return runRows(operands, isPadded, scratch: scratch, compute: compute) }
    if !packed { pack(operands.right, operands.rightRow, into: scratch, compute) }
    var job = nr_product_job()
    (job.a, job.rows, job.depth) = (operands.left, Int64(rows), Int64(depth))
    (job.a_row, job.a_step) = transposesLeft ? (1, Int64(operands.leftRow)) : (Int64(operands.leftRow), 1)
    job.b_row = Int64(Self.panelColumns)
    for first in stride(from: 0, to: columns, by: Self.panelColumns) {
      let count = min(Self.panelColumns, columns - first)
      job.b = UnsafePointer(scratch + first * depth)
      job.lanes = Int64(count)
      if count % 16 == 0 || isPadded {
        (job.result, job.result_row) = (operands.result + first, Int64(operands.resultRow))
        compute.kernels.product(&job)
      } else {
        let panel = scratch + (columns + Self.panelColumns - 1) / Self.panelColumns * depth * Self.panelColumns
        (job.result, job.result_row) = (panel, Int64(Self.panelColumns))
        compute.kernels.product(&job)
        compute.kernels.copy_channels(
          panel, Int64(Self.panelColumns), operands.result + first, Int64(operands.resultRow), Int64(rows),
          Int64(count), 0)
      }
    }
  }

  /// Op(B) in panels of 32 columns, `[panel][depth][32]`, zero after the last column.
  func pack(
    _ right: UnsafePointer<Float>, _ rightRow: Int, into panels: UnsafeMutablePointer<Float>, _ compute: Compute
  ) {
    for first in stride(from: 0, to: columns, by: Self.panelColumns) {
      var job = nr_pack_job()
      (job.dense, job.packed) = (right, panels + first * depth)
      (job.count_y, job.count_x, job.kernel_width) = (1, 1, 1)
      (job.channels, job.first_lane) = (Int64(depth), Int64(first))
      (job.lanes, job.width) = (Int64(min(Self.panelColumns, columns - first)), Int64(Self.panelColumns))
      (job.inputs_per_group, job.outputs_per_group) = (Int64(max(depth, columns)), Int64(max(depth, columns)))
      (job.outputs, job.transposed) = (Int64(rightRow), transposesRight ? 1 : 0)
      compute.kernels.pack(&job)
    }
  }

  /// A row, or two, of the result, with B in place.
  private func runRows(
    _ operands: Operands, _ isPadded: Bool, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    let kernel = transposesRight ? compute.kernels.row_dots! : compute.kernels.row_product!
    for row in 0..<rows {
      var left = operands.left + row * operands.leftRow
      if transposesLeft, rows > 1 || operands.leftRow > 1 {
        for k in 0..<depth { scratch[k] = operands.left[k * operands.leftRow + row] }
        left = UnsafePointer(scratch)
      }
      let result = operands.result + row * operands.resultRow
      kernel(left, Int64(depth), operands.right, Int64(operands.rightRow), result, Int64(columns))
      if isPadded {
        (result + columns).update(repeating: 0, count: operands.resultRow - columns)
      }
    }
  }
}
