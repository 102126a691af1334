import Diagnostics
import Foundation

/// A temporary folder for IDX files written byte by byte; removed at the end.
package final class IDXFixture {
  package let folder: String

  package init() throws {
    folder = NSTemporaryDirectory() + "idx-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  package static let trainImages = "train-images-idx3-ubyte", trainLabels = "train-labels-idx1-ubyte"
  package static let testImages = "t10k-images-idx3-ubyte", testLabels = "t10k-labels-idx1-ubyte"

  @discardableResult
  package func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let path = folder + "/" + name
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  package func remove(_ name: String) throws {
    try FileManager.default.removeItem(atPath: folder + "/" + name)
  }

  /// Four good files: 6 training and 3 test images of 2×3, classes 0…2.
  package func writeGoodSet() throws {
    try write(Self.trainImages, Self.images(count: 6))
    try write(Self.trainLabels, Self.labels([0, 1, 2, 2, 1, 0]))
    try write(Self.testImages, Self.images(count: 3))
    try write(Self.testLabels, Self.labels([2, 0, 1]))
  }

  /// An image file of 2×3 pixels 0, 1, 2, …
  package static func images(count: Int) -> [UInt8] {
    [0, 0, 8, 3] + word(count) + word(2) + word(3) + (0..<count * 6).map { UInt8($0) }
  }

  package static func labels(_ labels: [UInt8]) -> [UInt8] {
    [0, 0, 8, 1] + word(labels.count) + labels
  }

  package static func word(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
  }

  /// A gzip member (RFC 1952) with one stored block (RFC 1951, 3.2.4).
  package static func gzip(_ bytes: [UInt8]) -> [UInt8] {
    let count = [UInt8(bytes.count & 255), UInt8(bytes.count >> 8)]
    let block = [1] + count + count.map { ~$0 } + bytes
    return [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255] + block + word(Int(crc32(bytes))).reversed()
      + word(bytes.count).reversed()
  }

  /// CRC-32 of RFC 1952, section 8, bit by bit.
  private static func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
    }
  }

  /// The text of the `data` fault that the body throws, with the folder's path as `DIR`.
  package func fault(_ body: () throws -> some Any) -> String? {
    do {
      _ = try body()
      return nil
    } catch let fault as Fault {
      return fault.code == .data ? fault.description.replacing(folder, with: "DIR") : "not a data fault: \(fault)"
    } catch {
      return "not a fault: \(error)"
    }
  }
}
