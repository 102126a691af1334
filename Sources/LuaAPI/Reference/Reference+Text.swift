extension Reference {
  /// All names with the first sentence of each, by area: what `nasrun api` prints.
  public var overview: String {
    areas.map { area in
      let width = area.entries.map(\.name.count).max() ?? 0
      let lines = area.entries.map { entry in
        "  " + entry.name + String(repeating: " ", count: width - entry.name.count + 2) + entry.summary
      }
      return ([area.title] + lines).joined(separator: "\n")
    }.joined(separator: "\n\n")
  }

  /// An entry in full, for a terminal of that width.
  public func text(of entry: Entry, width: Int = 100) -> String {
    switch entry {
    case .function(let function): return function.text(width: width)
    case .value(let value):
      let source = value.source.map { ["", TextWrap.wrapped("Source: " + $0, width: width)] } ?? []
      return (["\(value.name): \(value.type.text)", "", TextWrap.wrapped(value.doc, width: width)] + source)
        .joined(separator: "\n")
    case .type(let type):
      let methods = methods(of: type).map { (name: $0.signature, doc: Entry.function($0).summary) }
      return
        (["class \(type.name)", "", TextWrap.wrapped(type.doc, width: width)]
        + TextWrap.section("Fields", type.fields.map { ($0.name, $0.properties, $0.doc) }, width: width)
        + (type.operators.isEmpty ? [] : ["", "Operators", "  " + type.operators.joined(separator: "\n  ")])
        + (methods.isEmpty ? [] : ["", "Methods"]) + TextWrap.columns(methods)).joined(separator: "\n")
    }
  }
}

extension Reference.Entry {
  /// The first sentence of the doc, on one line.
  public var summary: String {
    let text = doc.replacing("\n", with: " ")
    guard let end = text.firstMatch(of: #/\.( |$)/#) else { return text }
    return String(text[..<end.range.lowerBound])
  }
}

extension Declaration {
  fileprivate func text(width: Int) -> String {
    var parts = [signature, "", TextWrap.wrapped(doc, width: width)]
    parts += TextWrap.section("Arguments", arguments.map { ($0.name, $0.properties, $0.doc) }, width: width)
    parts += TextWrap.section("Options", (options ?? []).map { ($0.name, $0.properties, $0.doc) }, width: width)
    let results = resultTypes.map(\.text).joined(separator: ", ")
    parts += ["", "Returns  " + (results.isEmpty ? "nothing" : results) + (resultDoc.isEmpty ? "" : ": " + resultDoc)]
    parts.append("Called   " + (context == "recipe" ? "anywhere in a recipe" : "in: " + context))
    if let source { parts.append(TextWrap.wrapped("Source   " + source, width: width, indent: 9)) }
    if let example {
      parts += ["", "Example", example.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n")]
    }
    return parts.joined(separator: "\n")
  }
}

/// Text in lines of a width.
enum TextWrap {
  /// The words of `text` in lines; an empty line stays one. `indent` is put before every line but the first.
  static func wrapped(_ text: String, width: Int, indent: Int = 0) -> String {
    var lines: [String] = [], line = ""
    for word in text.split(whereSeparator: \.isWhitespace) {
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(line)
        line = String(repeating: " ", count: indent)
      }
      if !line.isEmpty, line.last != " " { line += " " }
      line += word
    }
    return (lines + [line]).joined(separator: "\n")
  }

  /// A heading and its entries: the name, its properties, and below them what it is.
  static func section(
    _ heading: String, _ entries: [(name: String, properties: String, doc: String)], width: Int
  ) -> [String] {
    if entries.isEmpty { return [] }
    let names = entries.map(\.name.count).max() ?? 0
    return ["", heading]
      + entries.map { entry in
        let start = "  " + entry.name + String(repeating: " ", count: names - entry.name.count + 2)
        let words = entry.doc.isEmpty ? entry.properties : entry.properties + " – " + entry.doc
        return wrappedAfter(start, words, width: width)
      }
  }

  /// Names in a column, with words beside them.
  static func columns(_ entries: [(name: String, doc: String)]) -> [String] {
    let width = entries.map(\.name.count).max() ?? 0
    return entries.map { "  " + $0.name + String(repeating: " ", count: width - $0.name.count + 2) + $0.doc }
  }

  private static func wrappedAfter(_ start: String, _ words: String, width: Int) -> String {
    let body = wrapped(words, width: max(30, width - start.count))
    return start + body.replacing("\n", with: "\n" + String(repeating: " ", count: start.count))
  }
}
