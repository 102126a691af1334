import Canonical
import Diagnostics
import LuaHost

/// Lua values as JSON and back, for what is stored and for what a build sees.
enum LuaValues {
  /// The value as JSON. Throws a `recipe` fault for a function or an object, which JSON can't hold.
  static func json(_ value: LuaValue) throws -> JSONValue {
    switch value {
    case .nil: return .null
    case .bool(let value): return .bool(value)
    case .integer(let value): return .int(value)
    case .number(let value): return .number(value)
    case .string(let value): return .string(value)
    case .table(let table): return try table.json()
    default:
      throw Fault(
        .recipe, "a value that can't be stored", expected: "a boolean, a number, a text or a table of these",
        got: value.description)
    }
  }

  /// A table of numbers by name. Throws a `recipe` fault that names `what` and the first other value.
  static func numbers(_ table: LuaReference, of what: String) throws -> [String: Double] {
    var numbers: [String: Double] = [:]
    for (key, value) in table.pairs {
      guard let name = key.string, let number = value.number else {
        throw Fault(
          .recipe, "wrong value in \(what)", path: key.string, expected: "a number", got: value.description)
      }
      numbers[name] = number
    }
    return numbers
  }
}

extension LuaHost {
  /// JSON as a new Lua value.
  func value(_ json: JSONValue) throws -> LuaValue {
    switch json {
    case .null: .nil
    case .bool(let value): .bool(value)
    case .int(let value): .integer(value)
    case .number(let value): .number(value)
    case .string(let value): .string(value)
    case .array(let values): try table(values.map { try value($0) })
    case .object(let fields): try table(fields.mapValues { try value($0) })
    }
  }
}
