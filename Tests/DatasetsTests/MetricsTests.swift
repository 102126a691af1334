import Datasets
import Testing

/// Expected numbers: scikit-learn 1.9.1, 100 × `accuracy_score(y, p)`, `balanced_accuracy_score(y, p)`,
/// `f1_score(y, p, average="macro")`.
@Suite struct MetricsTests {
  private func score(_ labels: [Int], _ predictions: [Int], classes: Int) -> ClassificationScore {
    var score = ClassificationScore(classes: classes)
    for (label, prediction) in zip(labels, predictions) { score.add(label: label, prediction: prediction, loss: 0) }
    return score
  }

  private func expect(
    _ score: ClassificationScore, accuracy: Double, balanced: Double, f1: Double,
    location: SourceLocation = #_sourceLocation
  ) {
    #expect(abs(score.accuracy - accuracy) < 1e-12, sourceLocation: location)
    #expect(abs(score.balancedAccuracy - balanced) < 1e-12, sourceLocation: location)
    #expect(abs(score.macroF1 - f1) < 1e-12, sourceLocation: location)
  }

  @Test func unevenClasses() {
    expect(
      score([0, 0, 0, 1, 1, 2, 2, 2, 2, 3], [0, 1, 1, 1, 2, 2, 2, 2, 0, 3], classes: 4),
      accuracy: 60, balanced: 64.58333333333333, f1: 63.74999999999999)
  }

  @Test func absentClasses() {
    // Class 1 and 3 occur nowhere; class 4 is predicted only.
    expect(
      score([0, 0, 2, 2, 2, 0], [0, 2, 2, 4, 2, 0], classes: 5),
      accuracy: 66.66666666666666, balanced: 66.66666666666666, f1: 48.88888888888889)
  }

  @Test func allWrong() {
    expect(score([1, 1, 1], [0, 0, 2], classes: 3), accuracy: 0, balanced: 0, f1: 0)
  }

  @Test func allRight() {
    let labels = [0, 1, 2, 3, 0, 1, 2, 3]
    expect(score(labels, labels, classes: 4), accuracy: 100, balanced: 100, f1: 100)
  }

  @Test func meanLoss() {
    var score = ClassificationScore(classes: 2)
    for loss in [0.5, 0.25, 1.5] { score.add(label: 0, prediction: 1, loss: loss) }
    #expect(score.meanLoss == 0.75 && score.total == 3)
  }

  @Test func nothingAdded() {
    let score = ClassificationScore(classes: 2)
    #expect(score.accuracy.isNaN && score.balancedAccuracy.isNaN && score.macroF1.isNaN && score.meanLoss.isNaN)
  }
}
