import Canonical
import Diagnostics
import GRDB

/// A row whose columns may hold anything, as in a damaged file: reading what isn't there is a fault, not a crash.
struct CheckedRow {
  private let row: Row
  private let source: String

  init(_ row: Row, _ source: String) {
    self.row = row
    self.source = source
  }

  func callAsFunction<T: DatabaseValueConvertible>(_ column: String) throws -> T {
    let value: DatabaseValue = row[column] ?? .null
    guard let result = T.fromDatabaseValue(value) else {
      throw Journal.damage(source, "column \(column) is not what was written", expected: "a \(T.self)", got: "\(value)")
    }
    return result
  }

  func optional<T: DatabaseValueConvertible>(_ column: String) throws -> T? {
    let value: DatabaseValue = row[column] ?? .null
    return value.isNull ? nil : try callAsFunction(column) as T
  }

  /// The JSON text of a column.
  func json(_ column: String) throws -> JSONValue {
    try JSONValue(parsing: (callAsFunction(column) as String).utf8, source: "\(source), column \(column)")
  }
}
