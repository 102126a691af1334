import Diagnostics

/// A dense matrix in double precision, row-major: what linear algebra works on.
public struct Matrix: Sendable, Equatable {
  /// The most elements of one matrix (2 GiB).
  static let largestCount = 1 << 28

  public let rows: Int
  public let columns: Int
  /// Row by row.
  public private(set) var values: [Double]

  /// A matrix of the values, row by row. Throws a `recipe` fault when they don't fill it, or when it is empty.
  public init(rows: Int, columns: Int, _ values: [Double]) throws {
    try Self.check(rows, columns)
    guard rows * columns == values.count else {
      throw Fault(
        .recipe, "wrong number of values for a matrix of \(rows) × \(columns)", expected: "\(rows * columns)",
        got: "\(values.count)")
    }
    (self.rows, self.columns, self.values) = (rows, columns, values)
  }

  /// A matrix of one number everywhere.
  public init(rows: Int, columns: Int, repeating value: Double = 0) throws {
    try Self.check(rows, columns)
    (self.rows, self.columns) = (rows, columns)
    values = [Double](repeating: value, count: rows * columns)
  }

  /// Throws a `recipe` fault for a size that no matrix has.
  static func check(_ rows: Int, _ columns: Int) throws {
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    guard rows > 0, columns > 0, !overflow, count <= largestCount else {
      throw Fault(
        .recipe, "wrong size of a matrix", expected: "at least one row and column, at most \(largestCount) elements",
        got: "\(rows) × \(columns)")
    }
  }

  /// The element in a row and a column, from 0.
  public subscript(row: Int, column: Int) -> Double {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }

  /// `3 × 4`.
  public var size: String { "\(rows) × \(columns)" }
  public var isFinite: Bool { values.allSatisfy(\.isFinite) }
  public var byteCount: Int { 8 * values.count }

  public var transposed: Matrix {
    var result = self
    if columns > 1, rows > 1 {
      for row in 0..<rows {
        for column in 0..<columns { result.values[column * rows + row] = values[row * columns + column] }
      }
    }
    return Matrix(unchecked: columns, rows, result.values)
  }

  /// Each element through a function.
  public func map(_ transform: (Double) -> Double) -> Matrix { Matrix(unchecked: rows, columns, values.map(transform)) }

  /// Each element with that of a matrix of the same size. Throws a `recipe` fault that names `operation` for another.
  public func combined(
    with other: Matrix, _ operation: String, _ transform: (Double, Double) -> Double
  ) throws -> Matrix {
    guard rows == other.rows, columns == other.columns else {
      throw Fault(.recipe, "\(operation): matrices of different sizes", expected: size, got: other.size)
    }
    return Matrix(unchecked: rows, columns, zip(values, other.values).map(transform))
  }

  private init(unchecked rows: Int, _ columns: Int, _ values: [Double]) {
    (self.rows, self.columns, self.values) = (rows, columns, values)
  }
}

// MARK: - Statistics

extension Matrix {
  /// Pearson's correlations of the rows, as NumPy's `corrcoef`: each row is a variable, each column an observation. A
  /// row without variance, or with a NaN, has NaN in its row and column; rounding never leads beyond −1…1.
  public func correlations() throws -> Matrix {
    var centred = self
    for row in 0..<rows {
      var sum = 0.0
      for column in 0..<columns { sum += self[row, column] }
      for column in 0..<columns { centred[row, column] -= sum / Double(columns) }
    }
    let products = try centred.times(centred, transposingRight: true)
    let deviations = (0..<rows).map { products[$0, $0].squareRoot() }
    var result = products
    for row in 0..<rows {
      for column in 0..<rows {
        let ratio = products[row, column] / deviations[row] / deviations[column]
        result[row, column] = ratio.isNaN ? ratio : min(1, max(-1, ratio))
      }
    }
    return result
  }

  /// Adds the products of all pairs of rows of a matrix of floats, `X Xᵀ`: `self` must be `rows × rows`.
  ///
  /// The floats are widened column block by column block, so that long rows never exist in double precision.
  public mutating func addProducts(ofRows floats: UnsafeBufferPointer<Float>) throws {
    let length = floats.count / rows, block = 4096
    var part = [Double](repeating: 0, count: rows * min(block, length))
    for start in stride(from: 0, to: length, by: block) {
      let width = min(block, length - start)
      for row in 0..<rows {
        for column in 0..<width { part[row * width + column] = Double(floats[row * length + start + column]) }
      }
      try LAPACK.shared.multiply(
        rows, width, rows, part, part, transposingRight: true, adding: true, to: &values)
    }
  }
}
