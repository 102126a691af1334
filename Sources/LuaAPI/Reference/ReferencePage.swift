/// The reference as one HTML file: it works offline, searches by itself, and follows the reader's light or dark setting.
public struct ReferencePage {
  private let reference: Reference

  public init(_ reference: Reference) { self.reference = reference }

  /// The whole file. Everything from a declaration is escaped.
  public var text: String {
    """
    <!doctype html>
    <html lang="en">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>nasrun reference</title>
    <style>\(Self.style)</style>
    <header>
    <h1>nasrun \(Self.escaped(nasrunVersion))</h1>
    <input id="search" type="search" placeholder="Search" aria-label="Search the reference" autofocus>
    <p id="found" role="status"></p>
    </header>
    <nav aria-label="Areas">
    \(reference.areas.map(Self.links).joined(separator: "\n"))
    </nav>
    <main>
    \(reference.areas.map(section).joined(separator: "\n"))
    </main>
    <script>\(Self.script)</script>
    </html>

    """
  }

  /// Text as HTML shows it, also inside quotation marks.
  static func escaped(_ text: String) -> String {
    let names: [Character: String] = ["&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;", "'": "&#39;"]
    return text.map { names[$0] ?? String($0) }.joined()
  }

  private static func links(_ area: Reference.Area) -> String {
    let items = area.entries.map { entry in
      "<li><a href=\"#\(escaped(entry.name))\">\(escaped(API.leaf(entry.name)))</a>"
    }
    return "<details><summary>\(escaped(area.title))</summary><ul>\(items.joined())</ul></details>"
  }

  private func section(_ area: Reference.Area) -> String {
    "<section><h2>\(Self.escaped(area.title))</h2>\n"
      + area.entries.map(article).joined(separator: "\n") + "\n</section>"
  }

  // MARK: - Entries

  private func article(_ entry: Reference.Entry) -> String {
    let body =
      switch entry {
      case .function(let function): self.body(function)
      case .type(let type): self.body(type)
      case .value(let value):
        heading("\(value.name): \(value.type.text)") + paragraph(value.doc) + source(value.source)
      }
    return "<article id=\"\(Self.escaped(entry.name))\">\n\(body)</article>"
  }

  private func body(_ function: Declaration) -> String {
    let results = function.resultTypes.map(\.text).joined(separator: ", ")
    let returned = results.isEmpty ? "nothing" : "<code>\(Self.escaped(results))</code>"
    return heading(function.signature) + paragraph(function.doc)
      + table("Arguments", Array(function.arguments)) + table("Options", function.options ?? [])
      + "<p class=\"facts\">Returns \(returned)"
      + (function.resultDoc.isEmpty ? "" : ": \(Self.escaped(function.resultDoc))") + "<br>Called "
      + (function.context == "recipe" ? "anywhere in a recipe" : "in: " + Self.escaped(function.context)) + "</p>\n"
      + source(function.source)
      + (function.example.map { "<pre>\(Self.escaped($0))</pre>\n" } ?? "")
  }

  private func body(_ type: ClassDeclaration) -> String {
    let operators = type.operators.map { "<code>\(Self.escaped($0))</code>" }.joined(separator: ", ")
    return heading("class \(type.name)") + paragraph(type.doc) + table("Fields", type.fields)
      + (operators.isEmpty ? "" : "<p class=\"facts\">Operators: \(operators)</p>\n")
  }

  private func heading(_ text: String) -> String { "<h3><code>\(Self.escaped(text))</code></h3>\n" }

  private func paragraph(_ text: String) -> String { "<p>\(Self.marked(text))</p>\n" }

  /// Escaped text in which what stands between backticks is code.
  private static func marked(_ text: String) -> String {
    escaped(text).split(separator: "`", omittingEmptySubsequences: false).enumerated()
      .map { $0 % 2 == 1 ? "<code>\($1)</code>" : String($1) }.joined()
  }

  private func source(_ text: String?) -> String {
    text.map { "<p class=\"source\">\(Self.escaped($0))</p>\n" } ?? ""
  }

  private func table(_ title: String, _ parameters: [Parameter]) -> String {
    if parameters.isEmpty { return "" }
    let rows = parameters.map { parameter in
      "<tr><th scope=\"row\"><code>\(Self.escaped(parameter.name))</code>"
        + "<td>\(Self.escaped(parameter.properties))<td>\(Self.marked(parameter.doc))"
    }
    return "<table><caption>\(title)</caption>\n\(rows.joined(separator: "\n"))\n</table>\n"
  }

  // MARK: - Style and search

  private static let style = """
    :root { color-scheme: light dark; --ink: light-dark(#1c2430, #dde3ec); --faint: light-dark(#5d6878, #98a4b5);
      --paper: light-dark(#fdfdfc, #14181f); --line: light-dark(#dfe3e8, #2b3340); --mark: light-dark(#0b62a3, #7cc0ff);
      --code: light-dark(#f1f3f6, #1d242e); }
    * { box-sizing: border-box; }
    body { margin: 0; color: var(--ink); background: var(--paper); font: 16px/1.55 system-ui, sans-serif;
      display: grid; grid-template: auto 1fr / 17rem minmax(0, 1fr); }
    header { grid-column: 1 / -1; position: sticky; top: 0; display: flex; gap: 1rem; align-items: center; z-index: 1;
      padding: .6rem 1.2rem; background: var(--paper); border-bottom: 1px solid var(--line); }
    h1 { font-size: 1.1rem; margin: 0; }
    #search { font: inherit; flex: 0 1 26rem; padding: .35rem .7rem; color: inherit; background: var(--code);
      border: 1px solid var(--line); border-radius: .4rem; }
    #found { margin: 0; color: var(--faint); }
    nav { position: sticky; top: 3.6rem; align-self: start; max-height: calc(100vh - 3.6rem); overflow: auto;
      padding: 1rem 1.2rem; font-size: .92rem; }
    nav ul { list-style: none; margin: .1rem 0 .5rem; padding-left: 1rem; }
    summary { cursor: pointer; }
    a { color: var(--mark); text-decoration: none; } a:hover { text-decoration: underline; }
    main { padding: 0 2rem 4rem; max-width: 62rem; }
    h2 { margin: 2rem 0 .5rem; font-size: 1.35rem; }
    h3 { margin: 0 0 .3rem; font-size: 1rem; color: var(--mark); overflow-wrap: anywhere; }
    article { padding: 1rem 0; border-top: 1px solid var(--line); scroll-margin-top: 3.6rem; }
    article:target { border-top-color: var(--mark); }
    p { margin: .4rem 0; } .facts, .source { color: var(--faint); font-size: .92rem; }
    code, pre { font: .9em/1.5 ui-monospace, monospace; } p code, td code { background: var(--code); padding: 0 .25em; }
    pre { background: var(--code); padding: .7rem 1rem; border-radius: .4rem; overflow: auto; }
    table { border-collapse: collapse; width: 100%; margin: .6rem 0; font-size: .92rem; }
    caption { text-align: left; color: var(--faint); padding-bottom: .2rem; }
    th, td { text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0; border-top: 1px solid var(--line); }
    th { font-weight: normal; white-space: nowrap; } td:nth-child(2) { color: var(--faint); width: 34%; }
    [hidden] { display: none; }
    @media (max-width: 48rem) { body { display: block; } nav { position: static; max-height: none; }
      main { padding: 0 1.2rem 3rem; } .searching nav { display: none; } }
    """

  /// Hides what has not all the words of the search box.
  private static let script = """
    const box = document.getElementById("search"), found = document.getElementById("found");
    const articles = [...document.querySelectorAll("article")].map(item => [item, item.textContent.toLowerCase()]);
    box.addEventListener("input", () => {
      const words = box.value.toLowerCase().split(/\\s+/).filter(word => word);
      let count = 0;
      for (const [item, text] of articles) {
        item.hidden = !words.every(word => text.includes(word));
        if (!item.hidden) count += 1;
      }
      for (const part of document.querySelectorAll("section"))
        part.hidden = !part.querySelector("article:not([hidden])");
      document.body.classList.toggle("searching", words.length > 0);
      found.textContent = words.length ? count + " of " + articles.length : "";
    });
    """
}
