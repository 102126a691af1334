import Diagnostics
import Foundation

/// How a CSV file becomes inputs and a target.
public struct TableOptions: Sendable, Equatable {
  /// What a table is for.
  public enum Task: String, Sendable, CaseIterable {
    case classification, regression
  }

  /// The column that is to be predicted.
  public var target: String
  public var task: Task
  /// Missing inputs count as the mean of their column (0 after standardisation, no value of a column of texts); else
  /// they are an error.
  public var fillsMissing: Bool
  /// Columns that are texts although they look like numbers: codes, postcodes.
  public var texts: [String]

  public init(target: String, task: Task, fillsMissing: Bool = false, texts: [String] = []) {
    self.target = target
    self.task = task
    self.fillsMissing = fillsMissing
    self.texts = texts
  }
}

/// Turns a CSV file into rows: columns of numbers stay, each other column becomes one input of 0 or 1 per distinct text,
/// in the order of their bytes. A column whose fields are numbers but for less than half of them is a mistake.
///
/// Empty fields, `NA`, `NaN` and `?` are missing values. A column of texts may have at most 100 distinct ones.
struct TableFile {
  static let mostTexts = 100
  private static let missing: Set<String> = ["", "NA", "NaN", "nan", "?"]

  let csv: CSV
  let options: TableOptions
  private let target: Int

  init(_ path: String, _ options: TableOptions) throws {
    csv = try CSV(path)
    self.options = options
    for name in options.texts { _ = try Self.column(name, of: csv) }
    target = try Self.column(options.target, of: csv)
  }

  private static func column(_ name: String, of csv: CSV) throws -> Int {
    if let index = csv.header.firstIndex(of: name) { return index }
    throw Fault(
      .recipe, "the table has no column '\(name)'", path: csv.path,
      expected: csv.header.prefix(12).joined(separator: ", ") + (csv.header.count > 12 ? ", …" : ""),
      hint: Suggestion.nearest(to: name, among: csv.header).map { "Did you mean '\($0)'?" })
  }

  /// All rows in one set, in the file's order.
  ///
  /// - Throws: a `data` fault that names file, line and column.
  func read() throws -> ImageSet {
    var inputs: [TableRows.Input] = [], columns: [[Float]] = []
    for index in csv.header.indices where index != target {
      let name = csv.header[index], cells = try cells(index)
      if !options.texts.contains(name), let numbers = try numbers(cells, index) {
        inputs.append(.init(column: name, text: nil))
        columns.append(numbers)
      } else {
        let texts = try distinct(cells, name, atMost: Self.mostTexts, hint: "Leave the column out of the table.")
        inputs += texts.map { .init(column: name, text: $0) }
        columns += texts.map { text in cells.map { $0 == text ? 1 : 0 } }
      }
    }
    guard !columns.isEmpty else {
      throw Fault(.data, "the table has no column but the target", at: csv.path, expected: "at least one more")
    }
    let values = csv.records.indices.flatMap { row in columns.map { $0[row] } }
    let (labels, classes, targets) = try answers()
    return try ImageSet(
      name: URL(fileURLWithPath: csv.path).lastPathComponent,
      table: TableRows(inputs: inputs, values: values, targets: targets), labels: labels,
      classNames: classes)
  }

  /// The fields of a column, nil for missing ones.
  private func cells(_ column: Int) throws -> [String?] {
    try csv.records.map { record in
      let text = record.fields[column].trimmingCharacters(in: .whitespaces)
      guard Self.missing.contains(text) else { return text }
      if options.fillsMissing, column != target { return nil }
      throw Fault(
        .data, "a value is missing", at: "\(csv.path), line \(record.line)", path: csv.header[column],
        hint: column == target
          ? "Every row needs a target." : "Fill it in, or open the table with { missing = \"mean\" }.")
    }
  }

  /// An input as numbers, NaN for missing ones; nil when it is a column of texts.
  private func numbers(_ cells: [String?], _ column: Int) throws -> [Float]? {
    if let numbers = Self.numbers(cells) { return numbers }
    let isText = cells.map { Self.numbers([$0]) == nil }, present = cells.count { $0 != nil }
    guard let row = isText.firstIndex(of: true), 2 * isText.count(where: { $0 }) < present else { return nil }
    throw Fault(
      .data, "a field of a column of numbers is no number", at: "\(csv.path), line \(csv.records[row].line)",
      path: csv.header[column], expected: "a number", got: "'\(cells[row] ?? "")'",
      hint: "Mend it, or open the table with { texts = { \"\(csv.header[column])\" } }.")
  }

  /// The fields as numbers, NaN for missing ones; nil when one is no finite number.
  private static func numbers(_ cells: [String?]) -> [Float]? {
    var numbers: [Float] = []
    for cell in cells {
      guard let cell else {
        numbers.append(.nan)
        continue
      }
      guard cell.utf8.allSatisfy({ "+-.0123456789eE".utf8.contains($0) }), let number = Float(cell), number.isFinite
      else { return nil }
      numbers.append(number)
    }
    return numbers
  }

  private func distinct(_ cells: [String?], _ name: String, atMost most: Int, hint: String) throws -> [String] {
    let texts = Set(cells.compactMap { $0 }).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    guard texts.count <= most else {
      throw Fault(
        .data, "too many distinct texts in a column", at: csv.path, path: name, expected: "numbers, or at most \(most)",
        got: "\(texts.count)", hint: hint)
    }
    return texts
  }

  /// Labels and class names, or the numbers of a regression, whose one class is named after the column.
  private func answers() throws -> (labels: [Int32], classes: [String], targets: [Float]?) {
    let cells = try cells(target), name = csv.header[target]
    if options.task == .regression {
      guard let numbers = Self.numbers(cells) else {
        let row = cells.indices.first { Self.numbers([cells[$0]]) == nil } ?? 0
        throw Fault(
          .data, "the target of a regression is no number", at: "\(csv.path), line \(csv.records[row].line)",
          path: name, expected: "a number", got: "'\(cells[row] ?? "")'")
      }
      return ([Int32](repeating: 0, count: cells.count), [name], numbers)
    }
    var classes = try distinct(
      cells, name, atMost: 1000, hint: "For a target of numbers, use { task = \"regression\" }.")
    guard classes.count > 1 else {
      throw Fault(
        .data, "the target has one class only", at: csv.path, path: name, expected: "at least two different values",
        got: "'\(classes.first ?? "")' in every row")
    }
    if let numbers = Self.numbers(classes) {
      classes = zip(classes, numbers).sorted { $0.1 < $1.1 }.map(\.0)
    }
    let places = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, Int32($0)) })
    return (cells.map { places[$0 ?? ""] ?? 0 }, classes, nil)
  }
}

extension DataRegistry {
  /// Opens a CSV file: inputs `[C]`, split by class or at random.
  ///
  /// - Parameter folder: of its options, a table has `test`, the part of the rows that is tested on; a fifth if nil.
  /// - Throws: a `data` fault that names file, line and column; a `recipe` fault for options that don't fit.
  public static func table(
    _ path: String, _ table: TableOptions, options: Dataset.Options = .init(), folder: FolderOptions = .init()
  ) throws -> Dataset {
    try folder.check(allowed: ["test"], format: "a table")
    let set = try TableFile(path, table).read()
    let content = ImageFolder.Content(set: set, train: Array(0..<Int32(set.count)), valid: nil, test: nil)
    return try Dataset(name: set.name, content: content, options: options, test: folder.test)
  }
}
