import Diagnostics
import Foundation
import LuaHost
import NeuralNet
import TensorCore

/// A matrix in double precision as scripts hold it. It never changes.
final class MatrixObject: LuaObject {
  static let luaName = "Matrix"
  let matrix: Matrix
  var nativeBytes: Int { matrix.byteCount }

  init(_ matrix: Matrix) { self.matrix = matrix }
}

extension MatrixObject {
  /// A matrix of what a script gave: itself, a table of rows, a list (a column), or a Tensor whose first axis are the
  /// rows and whose others are joined.
  static func matrix(_ value: LuaValue, in function: String) throws -> Matrix {
    if let object = value.object(as: MatrixObject.self) { return object.matrix }
    if let tensor = value.object(as: Tensor.self) {
      guard let rows = tensor.shape.first else {
        throw Fault(.recipe, "\(function): wrong tensor", expected: "one axis or more", got: "[]")
      }
      return try Matrix(rows: rows, columns: tensor.count / rows, tensor.values.map(Double.init))
    }
    guard let table = value.table else {
      throw Fault(
        .recipe, "\(function): wrong matrix", expected: "a Matrix, a table of rows, or a Tensor", got: value.description
      )
    }
    return try Matrix(rows: table.array, in: function)
  }

  /// The numbers with up to four digits, long dimensions cut to their first and last three.
  var text: String {
    func cut(_ count: Int) -> [Int?] {
      count <= 8 ? Array(0..<count) : [0, 1, 2, nil, count - 3, count - 2, count - 1]
    }
    let rows = cut(matrix.rows).map { row in
      guard let row else { return "…" }
      return cut(matrix.columns).map { $0.map { String(format: "%10.4g", matrix[row, $0]) } ?? "…" }.joined(
        separator: " ")
    }
    return "Matrix \(matrix.size)\n" + rows.joined(separator: "\n")
  }
}

extension Matrix {
  /// Rows of numbers, or numbers alone for a column.
  fileprivate init(rows: [LuaValue], in function: String) throws {
    let isColumn = rows.first?.number != nil
    let width = isColumn ? 1 : rows.first?.table?.count ?? 0
    var values: [Double] = []
    for (index, row) in rows.enumerated() {
      let numbers = isColumn ? [row] : row.table?.array ?? []
      guard numbers.count == width else {
        throw Fault(
          .recipe, "\(function): row \(index + 1) of the matrix is wrong", expected: "\(width) numbers",
          got: row.table == nil ? row.description : "\(numbers.count)")
      }
      for (column, value) in numbers.enumerated() {
        guard let number = value.number else {
          throw Fault(
            .recipe, "\(function): wrong element at row \(index + 1), column \(column + 1)", expected: "a number",
            got: value.description)
        }
        values.append(number)
      }
    }
    try self.init(rows: rows.count, columns: width, values)
  }
}
