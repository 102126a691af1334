import Diagnostics

/// A Lua value in Swift.
///
/// Strings that aren't valid UTF-8 come as `bytes`. Tables, functions and coroutines are references into the VM; a
/// userdata is the Swift object itself.
public enum LuaValue {
  case `nil`
  case bool(Bool)
  case integer(Int)
  case number(Double)
  case string(String)
  case bytes([UInt8])
  case table(LuaReference)
  case function(LuaReference)
  case coroutine(LuaReference)
  case userdata(any LuaObject)
  /// A userdata that isn't the host's, such as a file of `io`, or an object that was closed.
  case other(LuaReference)
}

extension LuaValue {
  public var isNil: Bool { if case .nil = self { true } else { false } }
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The integer, also of a float with an integral value.
  public var integer: Int? {
    switch self {
    case .integer(let value): value
    case .number(let value): Int(exactly: value)
    default: nil
    }
  }
  /// The number, also of an integer.
  public var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
  public var string: String? { if case .string(let value) = self { value } else { nil } }
  public var table: LuaReference? { if case .table(let value) = self { value } else { nil } }
  public var function: LuaReference? { if case .function(let value) = self { value } else { nil } }
  /// The Swift object of a userdata, when it is a `T`.
  public func object<T>(as type: T.Type = T.self) -> T? {
    if case .userdata(let value) = self { value as? T } else { nil }
  }
}

extension LuaValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringLiteral
{
  public init(nilLiteral: ()) { self = .nil }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(floatLiteral value: Double) { self = .number(value) }
  public init(stringLiteral value: String) { self = .string(value) }
}

extension LuaValue: CustomStringConvertible {
  /// The value as an error text names it: `nil`, `true`, `3`, `the text "x"`, `a table`.
  public var description: String {
    switch self {
    case .nil: "nil"
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    case .number(let value): value.isNaN ? "NaN" : "\(value)"
    case .string(let value): value.count > 40 ? "the text \"\(value.prefix(37))…\"" : "the text \"\(value)\""
    case .bytes(let value): "a text of \(value.count) bytes that is not UTF-8"
    case .table(let table): table.className.map(withArticle) ?? "a table"
    case .function: "a function"
    case .coroutine: "a coroutine"
    case .other: "a userdata"
    case .userdata(let value): withArticle(LuaHost.typeName(of: value))
    }
  }
}
