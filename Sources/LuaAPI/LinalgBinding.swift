import Canonical
import Diagnostics
import LuaHost
import NeuralNet
import TensorCore

/// `nas.linalg`: linear algebra in double precision (LAPACK), and the class `Matrix`.
struct LinalgBinding {
  let api: API
  let session: Session

  private static let matrix = Parameter("matrix", "any", "a Matrix, a table of rows, or a Tensor")
  private static let this = Parameter("matrix", "Matrix")

  private static let classDeclaration = ClassDeclaration(
    "Matrix", object: "matrix",
    """
    A matrix in double precision. +, -, * and / work element by element on two matrices of one size, or on a matrix and a
    number; #matrix is the number of rows.
    """,
    fields: [
      Parameter("rows", "integer", "how many"),
      Parameter("columns", "integer", "how many"),
    ],
    operators: [
      "add(Matrix|number): Matrix", "sub(Matrix|number): Matrix", "mul(Matrix|number): Matrix",
      "div(Matrix|number): Matrix", "len: integer",
    ])

  /// Declares the class; returns the table of functions.
  func declare() throws -> LuaValue {
    api.declare(Self.classDeclaration)
    let methods = self.methods
    try api.host.declare(MatrixObject.self, methods: api.methods(methods), metamethods: metamethods(methods))
    return try api.table(makers + decompositions + equations)
  }

  private static func operand(_ arguments: Arguments, _ position: Int, _ call: borrowing LuaCall) throws -> Matrix {
    try MatrixObject.matrix(arguments[position], in: call.name)
  }

  // MARK: - Making

  private var makers: [(Declaration, API.Body)] {
    [
      (
        Declaration(
          "nas.linalg.matrix",
          "A matrix in double precision of a table of rows, a list (one column), or a Tensor: its first axis are the "
            + "rows, all others are joined.", [Self.matrix], returns: "Matrix"),
        { arguments, call in try call.push(MatrixObject(try Self.operand(arguments, 0, call))) }
      ),
      (
        Declaration(
          "nas.linalg.identity", "The identity.", [Parameter("n", "integer", min: 1, max: 16_384, "rows and columns")],
          returns: "Matrix"),
        { arguments, call in
          var result = try Matrix(rows: arguments.integer(0), columns: arguments.integer(0))
          for index in 0..<result.rows { result[index, index] = 1 }
          try call.push(MatrixObject(result))
        }
      ),
      (
        Declaration(
          "nas.linalg.gram",
          "The products of all pairs of rows, X · Xᵀ, summed in double precision; of a list of Tensors with one first "
            + "axis, the sum of theirs; of a Matrix, X · Xᵀ.",
          [Parameter("tensors", "Tensor|Matrix|table", "a Matrix, a Tensor, or a list with one first dimension")],
          returns: "Matrix"),
        { arguments, call in
          if let matrix = arguments[0].object(as: MatrixObject.self)?.matrix {
            return try call.push(MatrixObject(try matrix.times(matrix, transposingRight: true)))
          }
          try call.push(MatrixObject(try Self.gram(arguments[0])))
        }
      ),
      (
        Declaration(
          "nas.linalg.corrcoef",
          "Pearson's correlations of the rows (numpy.corrcoef): a row without variance gives NaN in its row and column.",
          [Self.matrix], returns: "Matrix"),
        { arguments, call in try call.push(MatrixObject(try Self.operand(arguments, 0, call).correlations())) }
      ),
    ]
  }

  private static func gram(_ value: LuaValue) throws -> Matrix {
    let tensors =
      if let tensor = value.object(as: Tensor.self) { [tensor] } else {
        try TensorText.tensors(value, in: "nas.linalg.gram")
      }
    guard let rows = tensors.first?.shape.first, rows <= 16_384 else {
      throw Fault(
        .recipe, "nas.linalg.gram: wrong tensors", expected: "at least one, of at most 16384 rows",
        got: "\(tensors.first.map { "\(Shape.array($0.shape))" } ?? "none")")
    }
    var result = try Matrix(rows: rows, columns: rows)
    for tensor in tensors {
      guard tensor.shape.first == rows else {
        throw Fault(
          .recipe, "nas.linalg.gram: tensors of different first axes", expected: "\(rows) rows",
          got: "\(Shape.array(tensor.shape))")
      }
      try tensor.values.withUnsafeBufferPointer { try result.addProducts(ofRows: $0) }
    }
    return result
  }

  // MARK: - Decompositions

  private var decompositions: [(Declaration, API.Body)] {
    [
      (
        Declaration(
          "nas.linalg.eigh",
          "Eigenvalues of a symmetric matrix, ascending, and its eigenvectors as the columns of a Matrix.",
          [Self.matrix], returns: "number[], Matrix # eigenvalues, eigenvectors"),
        { arguments, call in
          let result = try Self.operand(arguments, 0, call).eigh()
          try call.push(JSONValue.array(result.values.map(JSONValue.number)))
          try call.push(MatrixObject(result.vectors))
        }
      ),
      (
        Declaration("nas.linalg.svd", "The singular values, descending.", [Self.matrix], returns: "number[]"),
        { arguments, call in
          try call.push(JSONValue.array(try Self.operand(arguments, 0, call).svd().map(JSONValue.number)))
        }
      ),
      (
        Declaration(
          "nas.linalg.slogdet",
          "The sign of the determinant and the logarithm of its absolute value: 0 and -inf of a singular matrix.",
          [Self.matrix], returns: "number, number # sign, logarithm"),
        { arguments, call in
          let result = try Self.operand(arguments, 0, call).slogdet()
          call.push(result.sign)
          call.push(result.logarithm)
        }
      ),
      (
        Declaration(
          "nas.linalg.cholesky", "The lower triangular L with L · Lᵀ equal to the positive definite matrix.",
          [Self.matrix], returns: "Matrix"),
        { arguments, call in try call.push(MatrixObject(try Self.operand(arguments, 0, call).cholesky())) }
      ),
    ]
  }

  // MARK: - Equations

  private static let right = Parameter("right", "any", "a Matrix, a table of rows, a list for one column, or a Tensor")

  private var equations: [(Declaration, API.Body)] {
    [
      (
        Declaration("nas.linalg.matmul", "The matrix product.", [Self.matrix, Self.right], returns: "Matrix"),
        { arguments, call in
          try call.push(
            MatrixObject(try Self.operand(arguments, 0, call).times(try Self.operand(arguments, 1, call))))
        }
      ),
      (
        Declaration("nas.linalg.transpose", "Rows and columns exchanged.", [Self.matrix], returns: "Matrix"),
        { arguments, call in try call.push(MatrixObject(try Self.operand(arguments, 0, call).transposed)) }
      ),
      (
        Declaration(
          "nas.linalg.solve", "The x with matrix · x = right, for each column.", [Self.matrix, Self.right],
          returns: "Matrix"),
        { arguments, call in
          try call.push(
            MatrixObject(try Self.operand(arguments, 0, call).solve(try Self.operand(arguments, 1, call))))
        }
      ),
      (
        Declaration(
          "nas.linalg.lstsq", "The shortest x that makes |matrix · x − right| least, for each column, and the rank.",
          [Self.matrix, Self.right], returns: "Matrix, integer # x, rank"),
        { arguments, call in
          let result = try Self.operand(arguments, 0, call).lstsq(try Self.operand(arguments, 1, call))
          try call.push(MatrixObject(result.solution))
          call.push(result.rank)
        }
      ),
    ]
  }

  // MARK: - The class

  private var methods: [(Declaration, API.Body)] {
    [
      (
        Declaration(
          "matrix:at", "The element in a row and a column, from 1.",
          [Self.this, Parameter("row", "integer", min: 1, "from 1"), Parameter("column", "integer", min: 1, "from 1")],
          returns: "number"),
        { arguments, call in
          let matrix = try arguments.object(0, as: MatrixObject.self).matrix
          let row = arguments.integer(1), column = arguments.integer(2)
          guard row <= matrix.rows, column <= matrix.columns else {
            throw Fault(
              .recipe, "matrix:at: outside of the matrix", expected: "1 to \(matrix.rows), 1 to \(matrix.columns)",
              got: "\(row), \(column)")
          }
          call.push(matrix[row - 1, column - 1])
        }
      ),
      (
        Declaration("matrix:totable", "The numbers as a table of rows.", [Self.this], returns: "number[][]"),
        { arguments, call in
          let matrix = try arguments.object(0, as: MatrixObject.self).matrix
          try call.push(
            JSONValue.array(
              (0..<matrix.rows).map { row in .array((0..<matrix.columns).map { .number(matrix[row, $0]) }) }))
        }
      ),
      (
        Declaration(
          "matrix:is_finite", "Whether no element is NaN or infinite.", [Self.this], returns: "boolean"),
        { arguments, call in call.push(try arguments.object(0, as: MatrixObject.self).matrix.isFinite) }
      ),
    ]
  }

  private func metamethods(_ methods: [(Declaration, API.Body)]) -> [LuaMetamethod: LuaFunction] {
    let names = methods.map { API.leaf($0.0.name) } + ["rows", "columns"]
    return [
      .index: { call in
        let matrix = try call.this(MatrixObject.self).matrix, name = call.string(2) ?? call.value(2).description
        switch name {
        case "rows": call.push(matrix.rows)
        case "columns": call.push(matrix.columns)
        default:
          throw Fault(.recipe, "a Matrix has no '\(name)'", hint: Suggestion.hint(for: name, among: names))
        }
      },
      .text: { call in call.push(try call.this(MatrixObject.self).text) },
      .length: { call in call.push(try call.this(MatrixObject.self).matrix.rows) },
      .add: { call in try Self.elementwise(call, "+", +) },
      .subtract: { call in try Self.elementwise(call, "-", -) },
      .multiply: { call in try Self.elementwise(call, "*", *) },
      .divide: { call in try Self.elementwise(call, "/", /) },
    ]
  }

  /// An operator on two matrices of one size, or on a matrix and a number.
  private static func elementwise(
    _ call: borrowing LuaCall, _ name: String, _ operation: (Double, Double) -> Double
  ) throws {
    let result: Matrix
    switch (try call.object(1, as: MatrixObject.self)?.matrix, try call.object(2, as: MatrixObject.self)?.matrix) {
    case (let a?, let b?): result = try a.combined(with: b, "matrix \(name) matrix", operation)
    case (let a?, nil):
      guard let number = call.number(2) else { throw call.wrong(2, expected: "a Matrix or a number") }
      result = a.map { operation($0, number) }
    case (nil, let b?):
      guard let number = call.number(1) else { throw call.wrong(1, expected: "a Matrix or a number") }
      result = b.map { operation(number, $0) }
    default: throw call.wrong(1, expected: "a Matrix")
    }
    try call.push(MatrixObject(result))
  }
}
