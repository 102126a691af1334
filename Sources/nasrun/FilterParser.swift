import Diagnostics

/// Reads the text of a `RunFilter` by recursive descent.
struct FilterParser {
  private let text: String
  private var rest: Substring

  init(_ text: String) {
    self.text = text
    rest = text[...]
  }

  /// `a or b or …`
  mutating func condition() throws -> RunFilter {
    var parts = [try conjunction()]
    while takeWord("or") { parts.append(try conjunction()) }
    return parts.count == 1 ? parts[0] : .any(parts)
  }

  mutating func finish() throws {
    skipSpaces()
    guard rest.isEmpty else { throw fault(expected: "'and', 'or' or the end") }
  }

  private mutating func conjunction() throws -> RunFilter {
    var parts = [try term()]
    while takeWord("and") { parts.append(try term()) }
    return parts.count == 1 ? parts[0] : .all(parts)
  }

  private mutating func term() throws -> RunFilter {
    if takeWord("not") { return .not(try term()) }
    if take("(") {
      let inner = try condition()
      guard take(")") else { throw fault(expected: "')'") }
      return inner
    }
    let field = try word(expected: "a field such as accuracy or tag")
    guard let comparison = RunFilter.Comparison.allCases.first(where: { take($0.rawValue) }) else {
      guard field == "starred" else { throw fault(expected: "one of = != < <= > >= ~") }
      return .flag(field: field)
    }
    _ = comparison == .equal && take("=")
    return .comparison(field: field, comparison, literal: try word(expected: "a value"))
  }

  /// A plain word or a quoted text.
  private mutating func word(expected: String) throws -> String {
    skipSpaces()
    if let quote = rest.first, quote == "\"" || quote == "'" {
      guard let end = rest.dropFirst().firstIndex(of: quote) else { throw fault(expected: "a closing \(quote)") }
      let inner = rest[rest.index(after: rest.startIndex)..<end]
      rest = rest[rest.index(after: end)...]
      return String(inner)
    }
    let word = rest.prefix { !$0.isWhitespace && !"()=!<>~\"'".contains($0) }
    guard !word.isEmpty else { throw fault(expected: expected) }
    rest = rest[word.endIndex...]
    return String(word)
  }

  /// Takes a word that ends there.
  private mutating func takeWord(_ word: String) -> Bool {
    skipSpaces()
    guard rest.hasPrefix(word), rest.dropFirst(word.count).first.map({ $0.isWhitespace || $0 == "(" }) ?? true else {
      return false
    }
    rest = rest.dropFirst(word.count)
    return true
  }

  private mutating func take(_ mark: String) -> Bool {
    skipSpaces()
    guard rest.hasPrefix(mark) else { return false }
    rest = rest.dropFirst(mark.count)
    return true
  }

  private mutating func skipSpaces() { rest = rest.drop { $0.isWhitespace } }

  private func fault(expected: String) -> Fault {
    let place = text.distance(from: text.startIndex, to: rest.startIndex) + 1
    return Fault(
      .usage, "wrong condition: '\(text)', character \(place)", expected: expected,
      got: rest.isEmpty ? "the end" : "'\(rest.prefix(12))'",
      hint: "For example: --where 'accuracy > 90 and tag = good'.")
  }
}
