import NeuralNet
import Testing

/// Every op of the table on its examples: derivatives, tape, padding lanes, bits.
@Suite struct OpCheckTests {
  @Test func everyOpOfTheTableIsRight() throws {
    for report in try OpCheck().reports(OpTable.all) {
      #expect(!report.examples.isEmpty, "\(report.op.name) has no example")
      for (property, outcome) in report.outcomes {
        if case .failed(let reason) = outcome { Issue.record("\(report.op.name), \(property): \(reason)") }
      }
    }
  }
}
