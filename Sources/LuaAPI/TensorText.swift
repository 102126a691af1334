import Canonical
import Diagnostics
import Foundation
import LuaHost
import NeuralNet

/// Tensors as Lua tables and as text.
enum TensorText {
  /// Reads nested tables; `shape` is what the first of each depth has, and the others must have it too.
  static func read(_ value: LuaValue, into values: inout [Float], shape: inout [Int], depth: Int = 0) throws {
    guard let table = value.table else {
      guard let number = value.number, depth == shape.count else {
        throw Fault(
          .recipe, "nas.tensor: wrong value", expected: depth < shape.count ? "a table as beside it" : "a number",
          got: value.description)
      }
      values.append(Float(number))
      return
    }
    let rows = table.array
    if depth == shape.count, values.isEmpty { shape.append(rows.count) }
    guard depth < shape.count, rows.count == shape[depth], !rows.isEmpty else {
      throw Fault(
        .recipe, "nas.tensor: the rows differ in length",
        expected: depth < shape.count ? "\(max(1, shape[depth])) values" : "a number", got: "\(rows.count) values")
    }
    for row in rows { try read(row, into: &values, shape: &shape, depth: depth + 1) }
  }

  /// A list of dimensions.
  static func shape(_ value: LuaValue, in function: String) throws -> [Int] {
    let given = value.table?.array ?? [], shape = given.compactMap(\.integer)
    guard shape.count == given.count, shape.allSatisfy({ $0 > 0 }), shape.reduce(1.0, { $0 * Double($1) }) < 0x1p28
    else {
      throw Fault(
        .recipe, "\(function): wrong shape", expected: "whole numbers from 1, at most \(1 << 28) elements",
        got: "{\(given.map(\.description).joined(separator: ", "))}")
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

  /// The shape, then the numbers in aligned rows; long dimensions are cut to their first and last three.
  static func text(_ tensor: Tensor) -> String {
    let title = "Tensor {\(tensor.shape.map(String.init).joined(separator: ", "))}"
    let values = tensor.values, isCut = values.count > 1000
    let rows = rows(values[...], tensor.shape[...], isCut: isCut, indent: " ")
    return title + (tensor.shape.isEmpty ? " " : "\n") + rows
  }

  private static func rows(_ values: ArraySlice<Float>, _ shape: ArraySlice<Int>, isCut: Bool, indent: String) -> String
  {
    guard let count = shape.first else { return number(values[values.startIndex]) }
    let size = values.count / count, isLong = isCut && count > 6
    let shown = isLong ? [0, 1, 2, count - 3, count - 2, count - 1] : Array(0..<count)
    var parts = shown.map { row in
      let start = values.startIndex + row * size
      return rows(values[start..<(start + size)], shape.dropFirst(), isCut: isCut, indent: indent + " ")
    }
    if shape.count == 1 {
      parts = parts.map { String(repeating: " ", count: max(0, 9 - $0.count)) + $0 }
    }
    if isLong { parts.insert("…", at: 3) }
    return "[" + parts.joined(separator: shape.count == 1 ? " " : "\n" + indent) + "]"
  }

  private static func number(_ value: Float) -> String {
    if value == value.rounded(), abs(value) < 1e6 { return String(format: "%.0f", value) }
    return abs(value) >= 1e-3 && abs(value) < 1e5 ? String(format: "%.4f", value) : String(format: "%.3e", value)
  }
}
