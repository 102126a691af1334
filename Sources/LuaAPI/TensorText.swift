import Canonical
import Diagnostics
import Foundation
import LuaHost
import NeuralNet

/// Tensors as Lua tables and as text.
enum TensorText {
  /// How deep tables of numbers may nest.
  private static let mostDimensions = 16

  /// Reads nested tables; `shape` is what the first of each depth has, and the others must have it too.
  static func read(_ value: LuaValue, into values: inout [Float], shape: inout [Int]) throws {
    var place: [Int] = []
    try read(value, into: &values, shape: &shape, at: &place)
  }

  /// - Parameter place: the positions that lead to the value, from 1.
  private static func read(
    _ value: LuaValue, into values: inout [Float], shape: inout [Int], at place: inout [Int]
  ) throws {
    let depth = place.count
    func fault(_ message: String, _ expected: String, _ got: String) -> Fault {
      let path = place.isEmpty ? nil : "values" + place.map { "[\($0)]" }.joined()
      return Fault(.recipe, "nas.tensor: " + message, path: path, expected: expected, got: got)
    }
    guard let table = value.table else {
      guard let number = value.number, depth == shape.count else {
        let isShallow = depth < shape.count
        throw fault("wrong value", isShallow ? "a table as beside it" : "a number", value.description)
      }
      return values.append(Float(number))
    }
    let rows = table.array
    guard depth < mostDimensions else { throw fault("too many dimensions", "at most \(mostDimensions)", "more") }
    guard !rows.isEmpty else {
      throw fault(
        "a table without numbers", "at least one number", table.pairs.isEmpty ? "an empty list" : "a table with names")
    }
    if depth == shape.count, values.isEmpty { shape.append(rows.count) }
    guard depth < shape.count else { throw fault("wrong value", "a number as beside it", "a table") }
    guard rows.count == shape[depth] else {
      throw fault("the rows differ in length", count(shape[depth]), count(rows.count))
    }
    for (index, row) in rows.enumerated() {
      place.append(index + 1)
      try read(row, into: &values, shape: &shape, at: &place)
      place.removeLast()
    }
  }

  private static func count(_ values: Int) -> String { values == 1 ? "1 value" : "\(values) values" }

  /// A list of dimensions.
  static func shape(_ value: LuaValue, in function: String) throws -> [Int] {
    let table = value.table, pairs = table.map { $0.count > mostDimensions ? [] : $0.pairs } ?? []
    let shape = pairs.indices.compactMap { pairs[$0].key.integer == $0 + 1 ? pairs[$0].value.integer : nil }
    guard shape.count == pairs.count, table?.count ?? 0 == pairs.count, shape.allSatisfy({ $0 > 0 }),
      shape.reduce(1.0, { $0 * Double($1) }) <= 0x1p28
    else {
      let given = table?.array ?? [], names = pairs.compactMap(\.key.string)
      let shown = given.prefix(8).map(\.description) + names.prefix(4) + (given.count > 8 ? ["…"] : [])
      throw Fault(
        .recipe, "\(function): wrong shape",
        expected: "a list of at most \(mostDimensions) whole numbers from 1, at most \(1 << 28) elements",
        got: "{ \(shown.joined(separator: ", ")) }")
    }
    return shape
  }

  /// A list of tensors.
  static func tensors(_ value: LuaValue, in function: String) throws -> [Tensor] {
    try (value.table?.array ?? []).enumerated().map { index, value in
      guard let tensor = value.object(as: Tensor.self) else {
        throw Fault(
          .recipe, "\(function): wrong element \(index + 1) of the list", expected: "a Tensor", got: value.description)
      }
      return tensor
    }
  }

  /// Classes from 1 as labels from 0; nil without a table.
  static func labels(_ table: LuaReference?, in function: String) throws -> [Int32]? {
    try table?.array.enumerated().map { index, value in
      guard let label = value.integer, label >= 1, label <= 65_536 else {
        throw Fault(
          .recipe, "\(function): wrong label \(index + 1)", expected: "a class from 1", got: value.description)
      }
      return Int32(label - 1)
    }
  }

  /// Nested lists; a number without dimensions.
  static func json(_ values: ArraySlice<Float>, _ shape: ArraySlice<Int>) -> JSONValue {
    guard let first = shape.first else { return .number(Double(values[values.startIndex])) }
    let size = values.count / first
    return .array(
      (0..<first).map { row in
        let start = values.startIndex + row * size
        return json(values[start..<(start + size)], shape.dropFirst())
      })
  }

  /// The most numbers that are all shown.
  private static let mostShown = 200

  /// The shape, then the numbers in aligned rows. Of many numbers only some are shown: of each of the last two dimensions
  /// the first and last three, of those before them the first and the last.
  static func text(_ tensor: Tensor) -> String {
    let title = "Tensor {\(tensor.shape.map(String.init).joined(separator: ", "))}"
    let values = tensor.values, isCut = values.count > mostShown
    let rows = rows(values[...], tensor.shape[...], isCut: isCut, indent: " ")
    return title + (tensor.shape.isEmpty ? " " : "\n") + rows
  }

  private static func rows(_ values: ArraySlice<Float>, _ shape: ArraySlice<Int>, isCut: Bool, indent: String) -> String
  {
    guard let count = shape.first else { return number(values[values.startIndex]) }
    let size = values.count / count, edge = shape.count > 2 ? 1 : 3, isLong = isCut && count > 2 * edge
    let shown = isLong ? Array(0..<edge) + Array((count - edge)..<count) : Array(0..<count)
    var parts = shown.map { row in
      let start = values.startIndex + row * size
      return rows(values[start..<(start + size)], shape.dropFirst(), isCut: isCut, indent: indent + " ")
    }
    if shape.count == 1 {
      parts = parts.map { String(repeating: " ", count: max(0, 9 - $0.count)) + $0 }
    }
    if isLong { parts.insert("…", at: edge) }
    return "[" + parts.joined(separator: shape.count == 1 ? " " : "\n" + indent) + "]"
  }

  private static func number(_ value: Float) -> String {
    // The C library prints the sign of a NaN, which means nothing.
    if value.isNaN { return "nan" }
    if value == value.rounded(), abs(value) < 1e6 { return String(format: "%.0f", value) }
    return abs(value) >= 1e-3 && abs(value) < 1e5 ? String(format: "%.4f", value) : String(format: "%.3e", value)
  }
}
