import Canonical
import Foundation
import RunStore
import SearchCore

extension Comparison {
  /// The comparison for people.
  var text: String {
    let runs = groups.reduce(0) { $0 + $1.runs.count }
    var title = "\(runs) run\(runs == 1 ? "" : "s") in \(groups.count) group\(groups.count == 1 ? "" : "s")"
    let seeds = groups.map { Set($0.runs.map(\.identity.seed)).count }
    let same = seeds.contains { $0 > 1 } ? "nothing but the seeds differs" : "nothing differs"
    title += differing.isEmpty ? "; \(same)" : "; what differs: \(differing.joined(separator: ", "))"
    if zip(groups, seeds).contains(where: { $0.runs.count > $1 }) {
      title += "\nruns with the same settings and the same seed are repeats of one experiment, not samples"
    }
    if groups.contains(where: { $0.runs.count > 1 }) {
      title += "\nmean ± standard deviation (n − 1) over the runs of a group"
    }
    return ([title, groupTable] + searches.flatMap { [text(of: $0), plot(of: $0)] }).filter { !$0.isEmpty }
      .joined(separator: "\n\n")
  }

  /// Which runs are in which group, and how they ended.
  private var groupTable: String {
    var table = TextTable(columns: [.left(""), .right("SEED"), .left("STATUS"), .left("RUN")])
    for group in groups {
      for (index, run) in group.runs.enumerated() {
        table.rows.append([
          index == 0 ? group.label : "", String(run.identity.seed), run.status.rawValue, run.folder.lastPathComponent,
        ])
      }
    }
    return table.text
  }

  private func text(of search: ComparedSearch) -> String {
    let columns: [TextTable.Column] =
      [.left("")] + differing.map { .left($0) }
      + ["N", "BEST", "MEDIAN", "TRIALS", "FAILED", "TIME", "COST"].map { .right($0) }
    var table = TextTable(columns: columns)
    table.rows = search.rows.map { row in
      let settings = differing.map { Self.word(row.group.settings[$0]) }
      let numbers = [row.best.text(), row.median.text(), row.trials.text(), row.failed.text()]
      let times = [row.time.text(Wording.duration), row.cost.text(Wording.duration)]
      return [row.group.label] + settings + [String(row.trials.values.count)] + numbers + times
    }
    let goal = "\(search.objective.name) (\(search.objective.direction.rawValue))"
    return "\(search.name): \(goal)\n" + table.text
  }

  /// A setting's value; empty where there is none.
  private static func word(_ value: JSONValue?) -> String {
    guard let value, value != .null else { return "" }
    return value.string ?? value.text()
  }

  /// The course of a search in characters: each group by its letter.
  private func plot(of search: ComparedSearch) -> String {
    let width = 60, height = 12
    let end = search.rows.map(\.curve.end).max() ?? 0
    let start = axis == .trials ? 1.0 : 0
    let curves = search.rows.map { row in (row.group.label, row.curve.points(width, to: end, from: start)) }
    let values = curves.flatMap { $0.1.map(\.best.mean) }
    guard let low = values.min(), let high = values.max(), end > start else { return "" }
    var cells = [[Character]](repeating: [Character](repeating: " ", count: width), count: height)
    for (label, points) in curves {
      for point in points {
        let column = Int(((point.x - start) / (end - start) * Double(width - 1)).rounded())
        let level = high > low ? (point.best.mean - low) / (high - low) : 0.5
        cells[height - 1 - Int((level * Double(height - 1)).rounded())][column] = label.first ?? "?"
      }
    }
    let lines = cells.enumerated().map { row, line in
      let label = row == 0 ? Wording.number(high) : row == height - 1 ? Wording.number(low) : ""
      return String(repeating: " ", count: max(0, 10 - label.count)) + label + " │" + String(line).trimmedEnd
    }
    let foot = axis == .trials ? ("1", "\(Int(end)) trials") : ("0", Wording.duration(end) + " of trials")
    let gap = String(repeating: " ", count: max(1, width - foot.0.count - foot.1.count))
    return
      (["best \(search.objective.name) so far in \(search.name)"] + lines
      + [String(repeating: " ", count: 11) + "└" + String(repeating: "─", count: width)]
      + [String(repeating: " ", count: 12) + foot.0 + gap + foot.1]).joined(separator: "\n")
  }
}

extension String {
  fileprivate var trimmedEnd: String {
    var text = self
    while text.last == " " { text.removeLast() }
    return text
  }
}

// MARK: - As a figure

extension Comparison {
  /// A panel per search: the mean of each group as steps, with a band of a standard deviation around it.
  var figure: (script: String, data: String) {
    var script = """
      set terminal svg size 760,\(420 * max(1, searches.count)) noenhanced font 'sans-serif,12' background rgb 'white'
      set multiplot layout \(max(1, searches.count)),1
      set xlabel '\(axis == .trials ? "trials" : "seconds of trials")'
      set grid lc rgb '#e0e4e8'
      set border 3 lc rgb '#5b6b7b'
      set tics nomirror
      set key above left Left reverse width 2 maxcols 1
      set style fill transparent solid 0.15 noborder

      """
    var data = "", index = 0
    for search in searches {
      var curves: [String] = []
      for row in search.rows {
        let colour = Self.colours[index % Self.colours.count]
        let name = legend(of: row.group) + ", n = \(row.trials.values.count)"
        data += "x \(PlotText.header(name)) low high\n"
        data += Self.staircase(row.curve).map { "\($0.x) \($0.mean) \($0.low) \($0.high)\n" }.joined() + "\n\n"
        if row.group.runs.count > 1 {
          curves.append("'data.txt' index \(index) using 1:3:4 with filledcurves lc rgb '\(colour)' notitle")
        }
        curves.append(
          "'data.txt' index \(index) using 1:2 with lines lw 2 lc rgb '\(colour)' title columnheader(2)")
        index += 1
      }
      script += "set ylabel \(PlotText.quoted("best \(search.objective.name) in \(search.name)"))\n"
      script += "set key autotitle columnheader\nplot \(curves.joined(separator: ", \\\n  "))\n"
    }
    return (script + "unset multiplot\n", data)
  }

  /// `a: population 8, trials 60`; what a recipe doesn't set is left out, and what doesn't fit.
  private func legend(of group: Group) -> String {
    let settings = differing.map { ($0, Self.word(group.settings[$0])) }.filter { !$0.1.isEmpty }
    guard !settings.isEmpty else { return group.label }
    let text = "\(group.label): " + settings.map { "\($0) \($1)" }.joined(separator: ", ")
    return text.count > 80 ? text.prefix(79) + "…" : text
  }

  private static let colours = ["#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "#b83280", "#718096", "#b7791f", "#2c7a7b"]

  /// The corners of a curve that is flat between its changes.
  private static func staircase(_ curve: BestSoFar) -> [(x: Double, mean: Double, low: Double, high: Double)] {
    var corners: [(x: Double, mean: Double, low: Double, high: Double)] = []
    for (x, best) in curve.changes {
      let spread = best.deviation ?? 0
      if let last = corners.last { corners.append((x, last.mean, last.low, last.high)) }
      corners.append((x, best.mean, best.mean - spread, best.mean + spread))
    }
    return corners
  }
}
