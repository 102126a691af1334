import Diagnostics
import TestSupport
import Testing

@testable import Datasets

@Suite struct TableTests {
  private let fixture: IDXFixture

  init() throws { fixture = try IDXFixture() }

  private func set(
    _ text: String, _ target: String = "y", _ task: TableOptions.Task = .classification, fillsMissing: Bool = false
  ) throws -> ImageSet {
    let path = try fixture.write("t.csv", Array(text.utf8))
    return try TableFile(path, TableOptions(target: target, task: task, fillsMissing: fillsMissing)).read()
  }

  private func fault(
    _ text: String, _ target: String = "y", _ task: TableOptions.Task = .classification
  ) -> String? { fixture.fault { try set(text, target, task) } }

  @Test func quotedFieldsAndLineEnds() throws {
    let path = try fixture.write(
      "q.csv", Array("\u{FEFF}a,\"b, c\",d\r\n1,\"two\"\"s\",\"line\nbreak\"\r\n\r\n,x y,\n".utf8))
    let csv = try CSV(path)
    #expect(csv.header == ["a", "b, c", "d"])
    #expect(csv.records.map(\.fields) == [["1", "two\"s", "line\nbreak"], ["", "x y", ""]])
    #expect(csv.records.map(\.line) == [2, 5])
  }

  @Test func numbersTextsAndClasses() throws {
    let set = try set("a,colour,y\n1.5,red,10\n-2e1,blue,9\n3,red,10\n")
    let table = try #require(set.table)
    #expect(table.inputs.map(\.column) == ["a", "colour", "colour"])
    #expect(table.inputs.map(\.text) == [nil, "blue", "red"])
    #expect(table.values == [1.5, 0, 1, -20, 1, 0, 3, 0, 1])
    #expect(set.classNames == ["9", "10"] && set.labels == [1, 0, 1] && set.sampleShape == [3] && !set.isRegression)
  }

  @Test func inputsAndTargetsAreStandardisedByTheTrainingPart() throws {
    let set = try set("a,t,y\n1,u,10\n,v,20\n3,,60\n", "y", .regression, fillsMissing: true)
    let all = ImageSelection(set), scale = Normalisation(measuring: all)
    #expect(scale.mean == [2, 0, 0] && scale.deviation == [1, 1, 1])
    // Mean 30, population deviation sqrt((400 + 100 + 900) / 3).
    #expect(scale.target?.mean == 30 && abs((scale.target?.deviation ?? 0) - 21.602468994692867) < 1e-12)
    var batches = try TrainingBatches(all, normalisation: scale, batchSize: 3, seed: 1, stream: "t")
    var values = [Float](repeating: 9, count: 9), labels: [Int32] = [9, 9, 9], targets: [Float] = [9, 9, 9]
    let isFull = batches.next(images: &values, labels: &labels, targets: &targets)
    let rows = Set((0..<3).map { Array(values[$0 * 3..<$0 * 3 + 3]) })
    #expect(isFull && labels == [0, 0, 0] && rows == [[-1, 1, 0], [0, 0, 1], [1, 0, 0]])
    #expect(abs((targets.max() ?? 0) - 30 / 21.602469) < 1e-6)
  }

  @Test func opensAsADataset() throws {
    let text = "x,y\n" + (0..<100).map { "\($0),\(2 * $0)\n" }.joined()
    let path = try fixture.write("t.csv", Array(text.utf8))
    let data = try DataRegistry.table(
      path, TableOptions(target: "y", task: .regression), options: .init(valid: .fraction(0.25)))
    #expect([data.train.count, data.valid?.count, data.test.count] == [60, 20, 20])
    #expect(data.imageShape == [1] && data.kind == "regression" && data.classNames == ["y"])
    #expect(Set(data.train.indices + (data.valid?.indices ?? []) + data.test.indices).count == 100)
    let score = (0..<20).map { data.test.target($0) / Double(data.test.indices[$0]) }
    #expect(score.allSatisfy { $0 == 2 || $0.isNaN })
  }

  @Test func damageIsNamed() {
    #expect(
      fault("a,y\n1,2\n,3\n") == """
        DIR/t.csv, line 3: a: a value is missing. Fill it in, or open the table with { missing = "mean" }.
        """)
    #expect(fault("a,y\n1,2\n1,?\n") == "DIR/t.csv, line 3: y: a value is missing. Every row needs a target.")
    #expect(fault("a,y\n1,2,3\n") == "DIR/t.csv, line 2: number of fields: expected 2, as in the header, got 3")
    #expect(
      fault("a,y\n\"1,2\n")
        == "DIR/t.csv, line 2: a quote is never closed: expected a second \" before the end of the file. "
        + "A quote inside a quoted field is written twice.")
    #expect(
      fault("a,y\n\"1\"0,2\n")
        == "DIR/t.csv, line 2: text after a closing quote: expected a comma or the end of line")
    #expect(
      fault("a,y\n") == "DIR/t.csv: the table is empty: expected a line of names and at least one row, got 1 line")
    #expect(
      fault("a,a\n1,2\n", "a")
        == "DIR/t.csv, line 1: two columns of one name: got 'a'. Rename one of them in the first line.")
    #expect(fault("y\n1\n") == "DIR/t.csv: the table has no column but the target: expected at least one more")
    #expect(
      fault("a,y\n1,2\n1,two\n", "y", .regression)
        == "DIR/t.csv, line 3: y: the target of a regression is no number: expected a number, got 'two'")
    let many = "a,y\n" + (0...100).map { "t\($0),1\n" }.joined()
    #expect(
      fault(many) == """
        DIR/t.csv: a: too many distinct texts in a column: expected numbers, or at most 100, got 101. \
        Leave the column out of the table.
        """)
  }

  @Test func emptyAndRaggedTables() {
    let wanted = "expected a line of names and at least one row"
    #expect(fault("") == "DIR/t.csv: the table is empty: \(wanted), got 0 lines")
    #expect(fault("\n\n") == "DIR/t.csv: the table is empty: \(wanted), got 0 lines")
    #expect(
      fault("a,y\n1,2\n3\n") == "DIR/t.csv, line 3: number of fields: expected 2, as in the header, got 1")
    #expect(
      fault("a,y\n1,2\n3,2\n") == """
        DIR/t.csv: y: the target has one class only: expected at least two different values, got '2' in every row
        """)
    let many = "a,y\n" + (0...1000).map { "1,\($0)\n" }.joined()
    #expect(
      fault(many) == """
        DIR/t.csv: y: too many distinct texts in a column: expected numbers, or at most 1000, got 1001. \
        For a target of numbers, use { task = "regression" }.
        """)
  }

  @Test func aNumberThatIsNone() throws {
    for wrong in ["1,5", "12x", "inf", "0x10", "1e999"] {
      #expect(
        fault("a,y\n1,2\n\"\(wrong)\",1\n3,1\n") == """
          DIR/t.csv, line 3: a: a field of a column of numbers is no number: expected a number, got '\(wrong)'. \
          Mend it, or open the table with { texts = { "a" } }.
          """)
    }
    let path = try fixture.write("t.csv", Array("a,y\n1,2\n2,1\n3x,1\n".utf8))
    let set = try TableFile(path, TableOptions(target: "y", task: .classification, texts: ["a"])).read()
    #expect(set.table?.inputs.map(\.text) == ["1", "2", "3x"])
    let fault = #expect(throws: Fault.self) {
      try TableFile(path, TableOptions(target: "y", task: .classification, texts: ["b"]))
    }
    #expect(
      fault?.description.replacing(fixture.folder, with: "DIR")
        == "DIR/t.csv: the table has no column 'b': expected a, y. Did you mean 'a'?")
  }

  /// A table is one set in memory, whatever its parts.
  @Test func memoryIsCountedOnce() throws {
    let path = try fixture.write("t.csv", Array(("x,y\n" + (0..<10).map { "\($0),1\n" }.joined()).utf8))
    let data = try DataRegistry.table(path, TableOptions(target: "y", task: .regression))
    #expect(data.memoryBytes == 4 * (10 + 10 + 10))
  }

  @Test func fewRowsToValidateOnAreToldOf() throws {
    let path = try fixture.write("t.csv", Array(("x,y\n" + (0..<50).map { "\($0),\($0)\n" }.joined()).utf8))
    let table = TableOptions(target: "y", task: .regression)
    let data = try DataRegistry.table(path, table, options: .init(valid: .count(10)))
    #expect(
      data.warnings == [
        "t.csv: only 10 validation rows: differences between networks will be mostly chance (at least 100 are advised)"
      ])
  }

  @Test func aTargetThatIsNotThere() throws {
    let fault = #expect(throws: Fault.self) { try set("alpha,beta\n1,2\n", "bta") }
    #expect(
      fault?.description.replacing(fixture.folder, with: "DIR")
        == "DIR/t.csv: the table has no column 'bta': expected alpha, beta. Did you mean 'beta'?")
  }

  @Test func regressionScores() {
    // scikit-learn's example of r2_score: 0.9486081370449679; errors 0.5, 0.5, 0, 1.
    var score = RegressionScore(origin: 100)
    for (target, prediction) in [(3, 2.5), (-0.5, 0), (2, 2), (7, 8)] {
      score.add(target: target, prediction: prediction)
    }
    #expect(abs(score.r2 - 0.9486081370449679) < 1e-12 && score.mae == 0.5)
    #expect(abs(score.rmse - 0.375.squareRoot()) < 1e-15)
  }

  @Test func recordsKeepFieldsAsTheyAre() throws {
    let path = try fixture.write("r.csv", Array("arch,accuracy\n\"|a~0|+|b~0|\",93.1\n,\n".utf8))
    let records = try Records(path)
    #expect(records.columns == ["arch", "accuracy"])
    #expect(records.rows == [["|a~0|+|b~0|", "93.1"], ["", ""]])
    let other = try Records(try fixture.write("s.csv", Array("arch,accuracy\n\"|a~0|+|b~0|\",93.2\n,\n".utf8)))
    #expect(records.digest != other.digest)
  }
}
