import Canonical
import Diagnostics
import GRDB

/// A row whose columns may hold anything, as in a damaged file: reading what isn't there is a fault, not a crash.
struct CheckedRow {
  private let row: Row
  private let source: String
  private let columns: [String]?

  /// - Parameter columns: the names of the row's columns in order, where they are known: many rows are read faster so.
  init(_ row: Row, _ source: String, columns: [String]? = nil) {
    self.row = row
    self.source = source
    self.columns = columns
  }

  private func value(_ column: String) -> DatabaseValue {
    guard let columns else { return row[column] ?? .null }
    return columns.firstIndex(of: column).map { row[$0] } ?? .null
  }

  func callAsFunction<T: DatabaseValueConvertible>(_ column: String) throws -> T {
    let value = value(column)
    guard let result = T.fromDatabaseValue(value) else {
      throw Journal.damage(source, "column \(column) is not what was written", expected: "a \(T.self)", got: "\(value)")
    }
    return result
  }

  func optional<T: DatabaseValueConvertible>(_ column: String) throws -> T? {
    let value = value(column)
    return value.isNull ? nil : try callAsFunction(column) as T
  }

  /// The JSON text of a column.
  func json(_ column: String) throws -> JSONValue {
    try JSONValue(parsing: (callAsFunction(column) as String).utf8, source: "\(source), column \(column)")
  }
}
