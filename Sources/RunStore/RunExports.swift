import Canonical
import Foundation

/// The texts that a run leaves for other programs and for people.
extension Run {
  /// Writes `trials.csv` and `log.txt`.
  func export() throws {
    try RunFolder.write(Self.table(trials()), to: folder.appending(path: "trials.csv"))
    try RunFolder.write(Self.log(events()), to: folder.appending(path: "log.txt"))
  }

  /// One line per trial with its final metrics in columns of their own, as RFC 4180 has it but for the line ends.
  private static func table(_ trials: [TrialRecord]) -> String {
    let names = Set(trials.flatMap { $0.metrics.filter { $0.epoch == nil }.map(\.name) }).sorted()
    let header = ["search", "number", "architecture", "status", "failure", "started", "finished"] + names
    let rows = trials.map { trial in
      [
        trial.search, String(trial.number), trial.architecture, trial.status.rawValue, trial.failure ?? "",
        String(trial.started), trial.finished.map { String($0) } ?? "",
      ] + names.map { trial.metric($0).map { String($0) } ?? "" } + [trial.decisions.text()]
    }
    return ([header + ["decisions"]] + rows).map { $0.map(quoted).joined(separator: ",") + "\n" }.joined()
  }

  private static func quoted(_ cell: String) -> String {
    guard cell.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return cell }
    return "\"" + cell.replacingOccurrences(of: "\"", with: "\"\"") + "\""
  }

  /// One line per event: time in UTC, kind, text.
  private static func log(_ events: [EventRecord]) -> String {
    events.map { event in
      let time = Date(timeIntervalSince1970: event.time).ISO8601Format()
      return "\(time) \(event.kind): \(event.text)\n"
    }.joined()
  }
}
