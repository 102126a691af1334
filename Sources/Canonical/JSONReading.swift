import Diagnostics
import Foundation

extension JSONValue {
  /// Reads a JSON text (RFC 8259).
  ///
  /// Whole numbers without a point or an exponent are `int`, all others `number`, so a canonical text reads back as the
  /// value that wrote it. Throws a `data` fault that names `source` and the offset of the first byte that isn't JSON.
  public init(parsing text: some Sequence<UInt8>, source: String) throws {
    var reader = JSONReader(text: Array(text), source: source)
    self = try reader.document()
  }
}

/// A recursive-descent reader of one JSON text.
private struct JSONReader {
  /// How deep arrays and objects may nest; far beyond any record, well within a thread's stack.
  private static let depthLimit = 256

  let text: [UInt8]
  let source: String
  private var position = 0
  private var depth = 0

  init(text: [UInt8], source: String) {
    self.text = text
    self.source = source
  }

  mutating func document() throws -> JSONValue {
    let value = try value()
    guard next == nil else { throw fault("the end") }
    return value
  }

  /// The next byte that isn't white space.
  private var next: UInt8? {
    mutating get {
      while position < text.count, [0x20, 0x09, 0x0a, 0x0d].contains(text[position]) { position += 1 }
      return position < text.count ? text[position] : nil
    }
  }

  private func fault(_ expected: String) -> Fault {
    let rest = text[min(position, text.count)...].prefix(12)
    return Fault(
      .data, "\(source) is not valid JSON", at: "offset \(position)", expected: expected,
      got: rest.isEmpty ? "the end" : "'\(String(decoding: rest, as: UTF8.self))'")
  }

  private mutating func value() throws -> JSONValue {
    switch next {
    case UInt8(ascii: "{"): return .object(try nested(object))
    case UInt8(ascii: "["): return .array(try nested(array))
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), (UInt8(ascii: "0")...UInt8(ascii: "9"))?: return try number()
    default: throw fault("a value")
    }
  }

  private mutating func nested<T>(_ body: (inout JSONReader) throws -> T) throws -> T {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthLimit else { throw fault("at most \(Self.depthLimit) levels") }
    position += 1
    return try body(&self)
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws -> JSONValue {
    guard text[position...].starts(with: word.utf8) else { throw fault(word) }
    position += word.utf8.count
    return value
  }

  /// Steps over `byte` when it comes next.
  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: byte) else { return false }
    position += 1
    return true
  }

  private func array(_ reader: inout JSONReader) throws -> [JSONValue] {
    var values: [JSONValue] = []
    if reader.take("]") { return values }
    repeat { values.append(try reader.value()) } while reader.take(",")
    guard reader.take("]") else { throw reader.fault("',' or ']'") }
    return values
  }

  private func object(_ reader: inout JSONReader) throws -> [String: JSONValue] {
    var fields: [String: JSONValue] = [:]
    if reader.take("}") { return fields }
    repeat {
      guard reader.next == UInt8(ascii: "\"") else { throw reader.fault("a name in quotes") }
      let name = try reader.string()
      guard fields[name] == nil else { throw reader.fault("a name that isn't there yet, after '\(name)'") }
      guard reader.take(":") else { throw reader.fault("':'") }
      fields[name] = try reader.value()
    } while reader.take(",")
    guard reader.take("}") else { throw reader.fault("',' or '}'") }
    return fields
  }
}

// MARK: - Numbers and strings

extension JSONReader {
  private mutating func digits() throws {
    let start = position
    while position < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[position]) { position += 1 }
    guard position > start else { throw fault("a digit") }
  }

  private func has(_ bytes: String) -> Bool { position < text.count && bytes.utf8.contains(text[position]) }

  private mutating func number() throws -> JSONValue {
    let start = position
    if has("-") { position += 1 }
    let leadingZero = has("0")
    let first = position
    try digits()
    guard !leadingZero || position == first + 1 else { throw fault("a number without leading zeros") }
    var whole = true
    if has(".") {
      whole = false
      position += 1
      try digits()
    }
    if has("eE") {
      whole = false
      position += 1
      if has("+-") { position += 1 }
      try digits()
    }
    let spelling = String(decoding: text[start..<position], as: UTF8.self)
    if whole, let value = Int(spelling) { return .int(value) }
    guard let value = Double(spelling), value.isFinite else { throw fault("a number in the range of doubles") }
    return .number(value)
  }

  private mutating func string() throws -> String {
    position += 1
    var bytes: [UInt8] = []
    while position < text.count {
      let byte = text[position]
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: bytes, as: UTF8.self) else { throw fault("UTF-8 before here") }
        position += 1
        return string
      case UInt8(ascii: "\\"):
        position += 1
        bytes.append(contentsOf: String(try escaped()).utf8)
      case 0..<0x20: throw fault("no control character in a string")
      default:
        bytes.append(byte)
        position += 1
      }
    }
    throw fault("'\"'")
  }

  private static let escapes: [UInt8: Unicode.Scalar] = [
    UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/", UInt8(ascii: "b"): "\u{8}",
    UInt8(ascii: "f"): "\u{c}", UInt8(ascii: "n"): "\n", UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
  ]

  /// The scalar that an escape stands for; two `\u` escapes may form one.
  private mutating func escaped() throws -> Unicode.Scalar {
    if !has("u") {
      guard position < text.count, let scalar = Self.escapes[text[position]] else { throw fault("an escape") }
      position += 1
      return scalar
    }
    let unit = try hexadecimal()
    guard (0xd800..<0xdc00).contains(unit) else {
      guard let scalar = Unicode.Scalar(unit) else { throw fault("a high surrogate before the low one") }
      return scalar
    }
    guard text[position...].starts(with: "\\u".utf8) else { throw fault("the second half of a surrogate pair") }
    position += 1
    let low = try hexadecimal()
    guard (0xdc00..<0xe000).contains(low), let scalar = Unicode.Scalar(0x10000 + (unit - 0xd800) << 10 + low - 0xdc00)
    else { throw fault("a surrogate pair before here") }
    return scalar
  }

  /// The value of `uXXXX`, from the `u` on.
  private mutating func hexadecimal() throws -> UInt32 {
    let digits = text[position...].dropFirst().prefix(4)
    let isHex = digits.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
    guard digits.count == 4, isHex, let value = UInt32(String(decoding: digits, as: UTF8.self), radix: 16) else {
      throw fault("four hexadecimal digits")
    }
    position += 5
    return value
  }
}
