/// Rows of text in columns as wide as their widest cell, two spaces apart.
struct TextTable {
  /// A column's heading and the side its cells lean to.
  struct Column {
    var heading: String
    var leansRight = false

    static func left(_ heading: String) -> Column { Column(heading: heading) }
    static func right(_ heading: String) -> Column { Column(heading: heading, leansRight: true) }
  }

  var columns: [Column]
  var rows: [[String]] = []

  /// One line per row below the headings; without a line break at the end.
  var text: String {
    let lines = [columns.map(\.heading)] + rows
    let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { cells in
      var line = columns.indices.map { pad(cells[$0], to: widths[$0], right: columns[$0].leansRight) }
        .joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }.joined(separator: "\n")
  }

  private func pad(_ cell: String, to width: Int, right: Bool) -> String {
    let space = String(repeating: " ", count: width - cell.count)
    return right ? space + cell : cell + space
  }
}
