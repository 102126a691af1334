import Foundation
import NeuralNet
import Testing

extension ReferenceFile {
  /// Reads the pair of files of a name in `Tests/References`.
  init(_ name: String) throws {
    let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    try self.init(name, in: tests.appendingPathComponent("References"))
  }
}

extension ReferenceFile.Case: CustomTestStringConvertible {
  public var testDescription: String { name }
}
