import Diagnostics

// Decompositions and equations in double precision. Each refuses what has no answer, with the sizes.

extension Matrix {
  /// The matrix product. Throws a `recipe` fault when the sizes don't fit.
  public func times(_ other: Matrix, transposingRight: Bool = false) throws -> Matrix {
    let (inner, outer) = transposingRight ? (other.columns, other.rows) : (other.rows, other.columns)
    guard columns == inner else {
      throw Fault(
        .recipe, "matmul: sizes that don't fit", expected: "a matrix of \(columns) rows after one of \(size)",
        got: "\(inner) × \(outer)")
    }
    try Self.check(rows, outer)
    var result = [Double](repeating: 0, count: rows * outer)
    try LAPACK.shared.multiply(
      rows, columns, outer, values, other.values, transposingRight: transposingRight, to: &result)
    return try Matrix(rows: rows, columns: outer, result)
  }

  /// Eigenvalues of a symmetric matrix, ascending, and the eigenvectors as columns in the same order, of length 1; the
  /// sign of each is LAPACK's. (`dsyevd`)
  public func eigh() throws -> (values: [Double], vectors: Matrix) {
    try check("eigh", square: true, symmetric: true)
    var vectors = values, eigenvalues = [Double](repeating: 0, count: rows)
    let n = [Int32(rows)]
    let lapack = try LAPACK.shared
    let info = LAPACK.withWorkspace { work, size, integers, integerSize, info in
      lapack.eigenvalues(
        "V", "L", n, &vectors, n, &eigenvalues, work, size, integers, integerSize, info, 1, 1)
    }
    try Self.checkConvergence("eigh", info, of: self)
    return (eigenvalues, try Matrix(rows: rows, columns: rows, vectors).transposed)
  }

  /// The singular values, descending. (`dgesdd`)
  public func svd() throws -> [Double] {
    try check("svd")
    // The transpose, which is what Fortran sees, has the same ones.
    var copy = values, result = [Double](repeating: 0, count: min(rows, columns))
    var left = [0.0], right = [0.0]
    let lapack = try LAPACK.shared, m = [Int32(columns)], n = [Int32(rows)]
    let info = LAPACK.withWorkspace(integers: 8 * min(rows, columns)) { work, size, integers, _, info in
      lapack.singularValues(
        "N", m, n, &copy, m, &result, &left, [1], &right, [1], work, size, integers, info, 1)
    }
    try Self.checkConvergence("svd", info, of: self)
    return result
  }

  /// The sign of the determinant (0 of a singular matrix) and the logarithm of its absolute value (−∞ then).
  public func slogdet() throws -> (sign: Double, logarithm: Double) {
    try check("slogdet", square: true)
    var factors = values, pivots = [Int32](repeating: 0, count: rows), info: Int32 = 0
    let n = [Int32(rows)]
    try LAPACK.shared.factorise(n, n, &factors, n, &pivots, &info)
    var sign = 1.0, sum = 0.0
    for index in 0..<rows {
      let pivot = factors[index * rows + index]
      if pivot == 0 { return (0, -.infinity) }
      if pivot < 0 { sign = -sign }
      if Int(pivots[index]) != index + 1 { sign = -sign }
      sum += Reproducible.logarithm(abs(pivot))
    }
    return (sign, sum)
  }

  /// The lower triangular `L` with `L Lᵀ` equal to this symmetric matrix. Throws a `recipe` fault that names the leading
  /// minor when it isn't positive definite. (`dpotrf`)
  public func cholesky() throws -> Matrix {
    try check("cholesky", square: true, symmetric: true)
    var factor = values, info: Int32 = 0
    try LAPACK.shared.cholesky("U", [Int32(rows)], &factor, [Int32(rows)], &info, 1)
    guard info == 0 else {
      throw Fault(
        .recipe, "cholesky: the matrix of \(size) is not positive definite", expected: "positive leading minors",
        got: "the minor of order \(info)", hint: "Add a small multiple of the identity.")
    }
    for row in 0..<rows { for column in (row + 1)..<max(row + 1, columns) { factor[row * rows + column] = 0 } }
    return try Matrix(rows: rows, columns: rows, factor)
  }

  /// The solution of `self · x = right`, for each column of `right`. Throws a `recipe` fault when the matrix is singular.
  /// (`dgesv`)
  public func solve(_ right: Matrix) throws -> Matrix {
    try check("solve", square: true)
    try right.check("solve")
    try checkRows(of: right, "solve")
    var a = transposed.values, b = right.transposed.values
    var pivots = [Int32](repeating: 0, count: rows), info: Int32 = 0
    let n = [Int32(rows)]
    try LAPACK.shared.solve(n, [Int32(right.columns)], &a, n, &pivots, &b, n, &info)
    guard info == 0 else {
      throw Fault(
        .recipe, "solve: the matrix of \(size) is singular", hint: "lstsq gives the solution of least squares.")
    }
    return try Matrix(rows: right.columns, columns: rows, b).transposed
  }

  /// The shortest `x` that makes `|self · x − right|` least, for each column of `right`, and the rank. Singular values
  /// below the machine's precision times the larger size, relative to the greatest, count as 0, as in NumPy. (`dgelsd`)
  public func lstsq(_ right: Matrix) throws -> (solution: Matrix, rank: Int) {
    try check("lstsq")
    try right.check("lstsq")
    try checkRows(of: right, "lstsq")
    try Self.check(max(rows, columns), right.columns)
    let height = max(rows, columns), threshold = Double.ulpOfOne * Double(height)
    var a = transposed.values, rank: Int32 = 0, singular = [Double](repeating: 0, count: min(rows, columns))
    var b = [Double](repeating: 0, count: height * right.columns)
    for column in 0..<right.columns { for row in 0..<rows { b[column * height + row] = right[row, column] } }
    let m = [Int32(rows)], n = [Int32(columns)], count = [Int32(right.columns)]
    let lapack = try LAPACK.shared
    let info = LAPACK.withWorkspace { work, size, integers, _, info in
      lapack.leastSquares(
        m, n, count, &a, m, &b, [Int32(height)], &singular, [threshold], &rank, work, size, integers, info)
    }
    try Self.checkConvergence("lstsq", info, of: self)
    let solution = (0..<columns).flatMap { row in (0..<right.columns).map { b[$0 * height + row] } }
    return (try Matrix(rows: columns, columns: right.columns, solution), Int(rank))
  }
}

// MARK: - Checks

extension Matrix {
  /// Throws a `recipe` fault for a matrix that a function has no answer for.
  private func check(_ function: String, square: Bool = false, symmetric: Bool = false) throws {
    if square, rows != columns {
      throw Fault(.recipe, "\(function): the matrix isn't square", expected: "n × n", got: size)
    }
    if let index = values.firstIndex(where: { !$0.isFinite }) {
      throw Fault(
        .recipe, "\(function): the matrix of \(size) has an element that is not finite", expected: "finite numbers",
        got: "\(values[index]) at row \(index / columns + 1), column \(index % columns + 1)")
    }
    guard symmetric else { return }
    let tolerance = 1e-8 * values.reduce(0) { max($0, abs($1)) }
    for row in 0..<rows {
      for column in 0..<row where abs(self[row, column] - self[column, row]) > tolerance {
        throw Fault(
          .recipe, "\(function): the matrix of \(size) isn't symmetric",
          expected: "\(self[column, row]) at row \(row + 1), column \(column + 1)", got: "\(self[row, column])")
      }
    }
  }

  private func checkRows(of right: Matrix, _ function: String) throws {
    guard right.rows == rows else {
      throw Fault(.recipe, "\(function): sizes that don't fit", expected: "\(rows) rows on the right", got: right.size)
    }
  }

  private static func checkConvergence(_ function: String, _ info: Int32, of matrix: Matrix) throws {
    guard info == 0 else {
      throw Fault(
        .recipe, "\(function): the algorithm did not converge for a matrix of \(matrix.size)", got: "info \(info)")
    }
  }
}
