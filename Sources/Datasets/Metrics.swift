/// What came of classifying labelled images: a confusion matrix and the sum of losses, from which the metrics follow.
///
/// Definitions are those of scikit-learn 1.x, in per cent.
public struct ClassificationScore: Sendable, Equatable {
  public let classes: Int
  /// `counts[label * classes + prediction]`.
  public private(set) var counts: [Int]
  private var lossSum = 0.0

  public init(classes: Int) {
    self.classes = classes
    counts = [Int](repeating: 0, count: classes * classes)
  }

  /// Adds one image: its label, the predicted class and its loss. Classes are in `0..<classes`.
  public mutating func add(label: Int, prediction: Int, loss: Double) {
    counts[label * classes + prediction] += 1
    lossSum += loss
  }

  /// The number of images added.
  public var total: Int { counts.reduce(0, +) }

  /// Mean of the losses; NaN without an image.
  public var meanLoss: Double { lossSum / Double(total) }

  /// Per cent of the images whose class was predicted (`accuracy_score`); NaN without an image.
  public var accuracy: Double { 100 * Double((0..<classes).reduce(0) { $0 + right($1) }) / Double(total) }

  /// Mean over the classes of the per cent predicted right (`balanced_accuracy_score`). Classes without an image are
  /// left out; NaN without an image.
  public var balancedAccuracy: Double {
    let present = (0..<classes).filter { labelled($0) > 0 }
    return 100 * present.reduce(0) { $0 + Double(right($1)) / Double(labelled($1)) } / Double(present.count)
  }

  /// Mean over the classes of F1 = 2 · right / (labelled + predicted) (`f1_score(average="macro")`). A class that is
  /// neither a label nor a prediction of any image is left out; one that is only one of both has F1 = 0. NaN without
  /// an image.
  public var macroF1: Double {
    let seen = (0..<classes).filter { labelled($0) + predicted($0) > 0 }
    let sum = seen.reduce(0) { $0 + 2 * Double(right($1)) / Double(labelled($1) + predicted($1)) }
    return 100 * sum / Double(seen.count)
  }

  /// Images of the class that were predicted as it.
  private func right(_ class: Int) -> Int { counts[`class` * classes + `class`] }

  /// Images of the class.
  private func labelled(_ class: Int) -> Int { (0..<classes).reduce(0) { $0 + counts[`class` * classes + $1] } }

  /// Images predicted as the class.
  private func predicted(_ class: Int) -> Int { (0..<classes).reduce(0) { $0 + counts[$1 * classes + `class`] } }
}
