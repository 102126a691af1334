import Canonical

/// The rows of a table as numbers: what a set holds instead of pixels.
public struct TableRows: Sendable {
  /// Where an input of the network comes from.
  public struct Input: Sendable, Equatable {
    /// The column of the file.
    public let column: String
    /// The text whose presence is the input, 0 or 1; nil: the column's number, to be standardised.
    public let text: String?
  }

  /// One per input of the network.
  public let inputs: [Input]
  /// `[N, inputs]`, as in the file; NaN where a value is missing.
  let values: [Float]
  /// What is to be predicted, in the file's units; nil for a classification.
  let targets: [Float]?

  init(inputs: [Input], values: [Float], targets: [Float]?) {
    self.inputs = inputs
    self.values = values
    self.targets = targets
  }

  /// SHA-256 of the framed text "table", N, C and the number of classes (8 bytes each), the values, labels and targets
  /// (4 bytes each), little-endian.
  func digest(labels: [Int32], classes: Int) -> String {
    let digest = ContentDigest()
    digest.update("table")
    for size in [labels.count, inputs.count, classes] { digest.update(UInt64(size)) }
    for part in [values, targets ?? []] {
      part.map(\.bitPattern.littleEndian).withUnsafeBytes { digest.update(bytes: $0) }
    }
    labels.map(\.littleEndian).withUnsafeBytes { digest.update(bytes: $0) }
    return digest.finish()
  }
}
