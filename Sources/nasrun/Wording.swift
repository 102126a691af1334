import Foundation

/// Numbers and times as people read them.
package enum Wording {
  /// Four significant digits, whole numbers in full: `91.25`, `0.8312`, `1073466`.
  package static func number(_ value: Double) -> String {
    if value.isFinite, value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
    return String(format: abs(value) >= 1000 && value.isFinite ? "%.0f" : "%.4g", value)
  }

  /// `8.2 s`, `2 min 3 s`, `1 h 2 min`.
  package static func duration(_ seconds: Double) -> String {
    guard seconds >= 59.95, seconds < 1e12 else { return String(format: "%.1f s", seconds) }
    let whole = Int(seconds.rounded())
    return whole < 3600 ? "\(whole / 60) min \(whole % 60) s" : "\(whole / 3600) h \(whole % 3600 / 60) min"
  }

  /// `2026-11-20 23:11:45`, local time.
  package static func time(_ seconds: Double) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.dateFormat = "yyyy-MM-dd HH:mm:ss"
    return formatter.string(from: Date(timeIntervalSince1970: seconds))
  }

  /// A text from a record without what would steer a terminal: control characters but line breaks become `�`.
  package static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          let isControl = scalar.value < 32 || (127...159).contains(scalar.value)
          return isControl && scalar != "\n" ? "\u{FFFD}" : scalar
        }))
  }

  /// `1 trial`, `2 trials`.
  package static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

  private static let plain = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-_./=:,+@%~"))

  /// A word of a command, in quotes where the shell would take it apart.
  package static func shell(_ word: String) -> String {
    let isPlain = !word.isEmpty && word.unicodeScalars.allSatisfy { plain.contains($0) }
    return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }

  /// `12 of 60`, or `12` when nobody knows how many there will be.
  package static func progress(_ done: Int, of planned: Int?) -> String {
    planned.map { "\(done) of \($0)" } ?? "\(done)"
  }
}
