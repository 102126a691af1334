/// "Did you mean …" for a misspelled name.
public enum Suggestion {
  /// The candidate nearest to `name`, when it is near enough to be what was meant: at most 3 edits, and fewer than
  /// half of the letters.
  public static func nearest(to name: String, among candidates: some Sequence<String>) -> String? {
    let limit = min(3, max(1, name.count / 2))
    return candidates.map { (distance(name, $0), $0) }.filter { $0.0 <= limit }.min { $0 < $1 }?.1
  }

  /// A hint sentence: the nearest candidate, or the list of all when none is near.
  public static func hint(for name: String, among candidates: some Sequence<String>) -> String {
    if let nearest = nearest(to: name, among: candidates) { return "Did you mean '\(nearest)'?" }
    let all = candidates.sorted()
    return all.isEmpty ? "There are none." : "Known: " + all.joined(separator: ", ") + "."
  }

  /// Edits (insert, delete, replace, swap neighbours) from `a` to `b`: the optimal-string-alignment distance.
  public static func distance(_ a: String, _ b: String) -> Int {
    let a = Array(a), b = Array(b)
    var before: [Int] = []
    var previous = Array(0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var best = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, before[j - 1] + 1) }
        row.append(best)
      }
      before = previous
      previous = row
    }
    return previous[b.count]
  }
}
