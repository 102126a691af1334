import Foundation
import RunStore

/// What a trial reported epoch by epoch: one curve per metric.
struct LearningCurves {
  /// In ascending order of names; each by ascending epoch.
  let curves: [(name: String, points: [(epoch: Int, value: Double)])]

  init(_ trial: TrialRecord) {
    var known: [String: [Int: Double]] = [:]
    for metric in trial.metrics {
      if let epoch = metric.epoch { known[metric.name, default: [:]][epoch] = metric.value }
    }
    curves = known.sorted { $0.key < $1.key }.map { name, values in
      (name, values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }
  }

  var isEmpty: Bool { curves.isEmpty }

  /// A line per metric: `accuracy  ▁▃▆█  10 → 91.25`.
  var text: String {
    var table = TextTable(columns: [.left("METRIC"), .left("BY EPOCH"), .left("FIRST → LAST")])
    table.rows = curves.map { name, points in
      let ends = "\(Wording.number(points[0].value)) → \(Wording.number(points[points.count - 1].value))"
      return [name, Self.sparkline(points.map(\.value)), ends]
    }
    return table.text
  }

  /// Eighths of a line between the least and the greatest value; `×` where a value isn't a number. Long curves are
  /// thinned to 60 places, the last value always among them.
  static func sparkline(_ values: [Double]) -> String {
    let width = 60, count = min(width, values.count)
    let shown = (0..<count).map { values[count == 1 ? 0 : $0 * (values.count - 1) / (count - 1)] }
    let finite = shown.filter(\.isFinite)
    guard let low = finite.min(), let high = finite.max() else { return String(repeating: "×", count: count) }
    let bars = Array("▁▂▃▄▅▆▇█")
    return String(
      shown.map { value in
        guard value.isFinite else { return "×" }
        return high > low ? bars[min(7, Int((value - low) / (high - low) * 8))] : bars[3]
      })
  }

  /// The figure: a panel per metric that has a finite value, as a gnuplot script and its data; nil when none has.
  var figure: (script: String, data: String)? {
    let curves = curves.filter { $0.points.contains { $0.value.isFinite } }
    if curves.isEmpty { return nil }
    let columns = min(2, curves.count), rows = (curves.count + columns - 1) / columns
    let epochs = curves.flatMap { $0.points.map(\.epoch) }
    let step = max(1, ((epochs.max() ?? 1) - (epochs.min() ?? 0)) / 6)
    var script = """
      set terminal svg size \(420 * columns),\(240 * rows) noenhanced font 'sans-serif,11' background rgb 'white'
      set multiplot layout \(rows),\(columns)
      set xlabel 'epoch'
      set grid lc rgb '#e0e4e8'
      set border 3 lc rgb '#5b6b7b'
      set tics nomirror
      set key above left
      set xtics \(step)

      """
    var data = ""
    for (index, curve) in curves.enumerated() {
      let style = curve.points.count < 30 ? "linespoints pt 7 ps 0.4" : "lines"
      script += "plot 'data.txt' index \(index) using 1:2 with \(style) lw 2 lc rgb '#2b6cb0' title columnheader(2)\n"
      data += "epoch \(PlotText.header(curve.name))\n"
      data += curve.points.map { "\($0.epoch) \($0.value.isFinite ? String($0.value) : "NaN")\n" }.joined() + "\n\n"
    }
    return (script + "unset multiplot\n", data)
  }
}

/// Names in gnuplot's files: nothing in them has a meaning of its own.
enum PlotText {
  /// A text of a script: in single quotes gnuplot replaces nothing.
  static func quoted(_ text: String) -> String {
    let plain = text.unicodeScalars.map { scalar -> Character in
      scalar.value < 32 || scalar.value == 127 ? " " : scalar == "'" ? "’" : Character(scalar)
    }
    return "'" + String(plain) + "'"
  }

  /// A column's name in quotes.
  static func header(_ name: String) -> String {
    let plain = name.unicodeScalars.map { scalar -> Character in
      scalar.value < 32 || scalar.value == 127 ? " " : scalar == "\"" ? "'" : Character(scalar)
    }
    return "\"" + String(plain) + "\""
  }
}
