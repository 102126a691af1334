import Canonical
import RunStore

/// The data that a recipe opens, one after the other, beside those that it opened when its run began.
struct OpenedData {
  /// What the run noted before it was resumed, each once; nil before the first comparison.
  private var before: [String]?
  private var opened: [String] = []

  /// The description of the data that the run opened in place of these, where it opened others; nil where these were
  /// opened before, or where the run ended before it opened any at this place.
  mutating func compare(_ description: String, with run: Run?) throws -> JSONValue? {
    let before = try before ?? run.map { try Self.noted(by: $0) } ?? []
    self.before = before
    if opened.contains(description) { return nil }
    opened.append(description)
    guard opened.count <= before.count, !before.contains(description) else { return nil }
    return try JSONValue(parsing: before[opened.count - 1].utf8, source: "event")
  }

  private static func noted(by run: Run) throws -> [String] {
    var texts: [String] = []
    for event in try run.events() where event.kind == "data" && !texts.contains(event.text) { texts.append(event.text) }
    return texts
  }
}
