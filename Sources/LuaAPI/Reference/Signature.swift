import Canonical

extension Declaration {
  /// The call on one line: `nas.nn.conv2d(x, channels, { kernel = 3, … })`. Options that must be given come first, then
  /// `…` stands for the others.
  public var signature: String {
    let required = (options ?? []).filter(\.isRequired).map { $0.name + " =" }
    let others = (options ?? []).contains { !$0.isRequired } ? ["…"] : []
    let table = options.map { $0.isEmpty ? "{}" : "{ " + (required + others).joined(separator: ", ") + " }" }
    if arguments.isEmpty, let table { return name + " " + table }
    let written = arguments.map { $0.isRequired || $0.name == "..." ? $0.name : "[\($0.name)]" }
    return name + "(" + (written + [table].compactMap { $0 }).joined(separator: ", ") + ")"
  }
}

extension Parameter {
  /// Type, default and range on one line: `integer, 3 by default, from 1`.
  public var properties: String {
    var parts = [choices.map { $0.map { "\"\($0)\"" }.joined(separator: " | ") } ?? type.text]
    if choices != nil, type.alternatives != ["string"] { parts[0] = type.text + ", of the texts " + parts[0] }
    if let defaultValue {
      parts.append("\(defaultValue.luaText) by default")
    } else if optional {
      parts.append("optional")
    }
    switch (minimum, maximum) {
    case (let low?, let high?): parts.append("from \(Self.text(low)) to \(Self.text(high))")
    case (let low?, nil): parts.append("from \(Self.text(low))")
    case (nil, let high?): parts.append("up to \(Self.text(high))")
    case (nil, nil): break
    }
    return parts.joined(separator: ", ")
  }

  private static func text(_ number: Double) -> String { Int(exactly: number).map(String.init) ?? "\(number)" }
}

extension JSONValue {
  /// The value as Lua writes it: `{ { "accuracy", "max" } }`.
  package var luaText: String {
    switch self {
    case .null: "nil"
    case .array(let values): values.isEmpty ? "{}" : "{ " + values.map(\.luaText).joined(separator: ", ") + " }"
    case .object(let fields):
      fields.isEmpty
        ? "{}"
        : "{ " + fields.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value.luaText)" }.joined(separator: ", ")
          + " }"
    default: text()
    }
  }
}
