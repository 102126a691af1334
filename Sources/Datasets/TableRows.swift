import Canonical

/// The rows of a table as numbers: what a set holds instead of pixels.
public struct TableRows: Sendable {
  /// One name per input of the network: a column, or `column=value` of a column of texts.
  public let columns: [String]
  /// Which inputs are numbers, to be standardised; the others are 0 or 1.
  public let isNumeric: [Bool]
  /// `[N, columns]`, as in the file; NaN where a value is missing.
  let values: [Float]
  /// What is to be predicted, in the file's units; nil for a classification.
  let targets: [Float]?

  init(columns: [String], isNumeric: [Bool], values: [Float], targets: [Float]?) {
    self.columns = columns
    self.isNumeric = isNumeric
    self.values = values
    self.targets = targets
  }

  /// SHA-256 of the framed text "table", N, C and the number of classes (8 bytes each), the values, labels and targets
  /// (4 bytes each), little-endian.
  func digest(labels: [Int32], classes: Int) -> String {
    let digest = ContentDigest()
    digest.update("table")
    for size in [labels.count, columns.count, classes] { digest.update(UInt64(size)) }
    for part in [values, targets ?? []] {
      part.map(\.bitPattern.littleEndian).withUnsafeBytes { digest.update(bytes: $0) }
    }
    labels.map(\.littleEndian).withUnsafeBytes { digest.update(bytes: $0) }
    return digest.finish()
  }
}
