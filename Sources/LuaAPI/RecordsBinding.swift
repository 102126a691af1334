import Canonical
import Datasets
import Diagnostics
import Foundation
import LuaHost

/// The rows of a CSV file as scripts hold them, with an index of each column that was searched.
final class RecordsObject: LuaObject {
  static let luaName = "Records"
  let records: Records
  private var indexes: [Int: [String: [Int]]] = [:]
  var orderKey: String? { records.digest }
  var nativeBytes: Int { records.rows.reduce(0) { $1.reduce($0) { $0 + $1.utf8.count + 16 } } }

  init(_ records: Records) { self.records = records }

  /// The positions of the rows with this text in a column.
  func rows(with text: String, in column: Int) -> [Int] {
    let index = indexes[column] ?? Dictionary(grouping: records.rows.indices) { records.rows[$0][column] }
    indexes[column] = index
    return index[text] ?? []
  }
}

/// `nas.data.records` and the methods of `Records`.
struct RecordsBinding {
  let api: API
  let session: Session

  private static let this = Parameter("records", "Records")

  /// Declares the class; returns the function `nas.data.records`.
  func declare() throws -> [(Declaration, API.Body)] {
    api.declare(Self.classDeclaration)
    try api.host.declare(
      RecordsObject.self, methods: api.methods(Self.methods),
      metamethods: [
        .length: { call in call.push(try call.this(RecordsObject.self).records.rows.count) },
        .text: { call in
          let records = try call.this(RecordsObject.self).records
          call.push("Records(\(records.rows.count) rows of \(records.columns.joined(separator: ", ")))")
        },
        .index: API.unknownName(of: "Records", Self.methods),
      ])
    return [(Self.declaration, open)]
  }

  private static let classDeclaration = ClassDeclaration(
    "Records", object: "records", "The rows of a CSV file, to look things up in. #records is their number.",
    operators: ["len: integer"])

  private static let declaration = Declaration(
    "nas.data.records",
    """
    The rows of a CSV file (plain or gzip, first line: names) as they are, to look things up in: `#records`, `columns`,
    `row`, `find`. Fields that are numbers become numbers, empty ones nil. A path is found as in nas.data.open.
    """,
    [Parameter("path", "string", "of the file")], returns: "Records")

  private func open(_ arguments: Arguments, _ call: borrowing LuaCall) throws {
    let path = try session.access.resolve(arguments.text(0)).path(percentEncoded: false)
    try call.push(RecordsObject(try Records(path)))
  }

  private static var methods: [(Declaration, API.Body)] {
    [
      (
        Declaration("records:columns", "The names of the columns, in order.", [this], returns: "string[]"),
        { arguments, call in
          let columns = try arguments.object(0, as: RecordsObject.self).records.columns
          try call.push(JSONValue.array(columns.map(JSONValue.string)))
        }
      ),
      (
        Declaration(
          "records:row", "A row as a table of its fields by column.",
          [this, Parameter("position", "integer", min: 1, "of the row, the first is 1")], returns: "table<string, any>"),
        { arguments, call in
          let records = try arguments.object(0, as: RecordsObject.self).records, position = arguments.integer(1)
          guard position <= records.rows.count else {
            throw Fault(.recipe, "records:row: no such row", expected: "1 to \(records.rows.count)", got: "\(position)")
          }
          try call.push(fields(records.rows[position - 1], of: records))
        }
      ),
      (
        Declaration(
          "records:find", "The positions of the rows that have this text in a column, in order; empty for none.",
          [this, Parameter("column", "string", "its name"), Parameter("text", "string", "as it stands in the file")],
          returns: "integer[]"),
        { arguments, call in
          let records = try arguments.object(0, as: RecordsObject.self), name = arguments.text(1)
          guard let column = records.records.columns.firstIndex(of: name) else {
            throw Fault(
              .recipe, "records:find: no column '\(name)'",
              hint: Suggestion.hint(for: name, among: records.records.columns))
          }
          try call.push(JSONValue.array(records.rows(with: arguments.text(2), in: column).map { .int($0 + 1) }))
        }
      ),
    ]
  }

  private static func fields(_ row: [String], of records: Records) -> JSONValue {
    var fields: [String: JSONValue] = [:]
    for (column, text) in zip(records.columns, row) where !text.isEmpty {
      fields[column] = Int(text).map(JSONValue.int) ?? Double(text).map(JSONValue.number) ?? .string(text)
    }
    return .object(fields)
  }
}
