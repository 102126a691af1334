import Diagnostics
import Foundation

/// The binary version of CIFAR-10 and CIFAR-100 (Krizhevsky 2009, "Learning multiple layers of features from tiny
/// images"; cs.toronto.edu/~kriz/cifar.html): records of one or two label bytes, then 32×32 red, green and blue bytes.
///
/// Files may hold any number of records, and may be compressed by gzip under the same name.
public enum CIFAR {
  /// Which label of CIFAR-100 counts: one of 100 classes or one of 20 superclasses.
  public enum Labels: String, Sendable, CaseIterable {
    case fine, coarse
  }

  /// What one version's files look like.
  struct Layout {
    let trainFiles: [String]
    let testFile: String
    let namesFile: String
    /// Bytes of labels in a record, and which of them counts.
    let labelBytes: Int
    let label: Int
    let classes: Int
  }

  static let side = 32
  static let pixelBytes = side * side * 3

  static let ten = Layout(
    trainFiles: (1...5).map { "data_batch_\($0).bin" }, testFile: "test_batch.bin", namesFile: "batches.meta.txt",
    labelBytes: 1, label: 0, classes: 10)

  static func hundred(_ labels: Labels) -> Layout {
    Layout(
      trainFiles: ["train.bin"], testFile: "test.bin", namesFile: "\(labels.rawValue)_label_names.txt", labelBytes: 2,
      label: labels == .fine ? 1 : 0, classes: labels == .fine ? 100 : 20)
  }

  /// Reads a folder with CIFAR-10's `data_batch_1.bin` … `data_batch_5.bin` and `test_batch.bin`. The classes are named
  /// by the lines of `batches.meta.txt`, or `0`, `1`, … without it.
  ///
  /// - Throws: a `data` fault with file, offset, what was expected and what came.
  public static func folder10(_ path: String) throws -> (train: ImageSet, test: ImageSet) { try read(path, ten) }

  /// Reads a folder with CIFAR-100's `train.bin` and `test.bin`; the names are in `fine_label_names.txt` and
  /// `coarse_label_names.txt`.
  ///
  /// - Throws: a `data` fault with file, offset, what was expected and what came.
  public static func folder100(_ path: String, labels: Labels) throws -> (train: ImageSet, test: ImageSet) {
    try read(path, hundred(labels))
  }

  private static func read(_ folder: String, _ layout: Layout) throws -> (train: ImageSet, test: ImageSet) {
    let names = try classNames(folder + "/" + layout.namesFile, layout)
    let name = URL(fileURLWithPath: folder).standardizedFileURL.lastPathComponent
    func set(_ part: String, _ files: [String]) throws -> ImageSet {
      var pixels: [UInt8] = [], labels: [Int32] = []
      for file in files { try append(folder + "/" + file, layout, &pixels, &labels) }
      return try ImageSet(
        name: name + "/" + part, height: side, width: side, channels: 3, pixels: pixels, labels: labels,
        classNames: names)
    }
    return (try set("train", layout.trainFiles), try set("test", [layout.testFile]))
  }

  /// Reads the records of one file behind those that are there.
  private static func append(
    _ path: String, _ layout: Layout, _ pixels: inout [UInt8], _ labels: inout [Int32]
  ) throws {
    let reader = try ByteReader(path)
    let bytes = try reader.read(upTo: reader.capacity)
    let size = layout.labelBytes + pixelBytes, rest = bytes.count % size
    guard rest == 0, !bytes.isEmpty else {
      throw Fault(
        .data, bytes.isEmpty ? "the file is empty" : "the last record is cut off",
        at: reader.place(bytes.count - rest),
        expected: "\(size) bytes (\(layout.labelBytes == 1 ? "label" : "2 labels"), 32×32 RGB)", got: "\(rest) bytes",
        hint: "Fetch the file again.")
    }
    for start in stride(from: 0, to: bytes.count, by: size) {
      let offset = start + layout.label, label = Int(bytes[offset])
      guard label < layout.classes else {
        throw Fault(
          .data, "label out of range", at: reader.place(offset), expected: "0…\(layout.classes - 1)", got: "\(label)")
      }
      labels.append(Int32(label))
    }
    pixels += interleaved(bytes, recordSize: size, skipping: layout.labelBytes)
  }

  /// The pixels of all records, channels of a pixel together.
  private static func interleaved(_ bytes: [UInt8], recordSize: Int, skipping labels: Int) -> [UInt8] {
    let records = bytes.count / recordSize, plane = side * side
    return [UInt8](unsafeUninitializedCapacity: records * pixelBytes) { output, filled in
      bytes.withUnsafeBufferPointer { input in
        for record in 0..<records {
          let source = record * recordSize + labels, target = record * pixelBytes
          for channel in 0..<3 {
            for pixel in 0..<plane { output[target + pixel * 3 + channel] = input[source + channel * plane + pixel] }
          }
        }
      }
      filled = records * pixelBytes
    }
  }

  /// The lines of a file of names, or numbers where it isn't there.
  private static func classNames(_ path: String, _ layout: Layout) throws -> [String] {
    guard FileManager.default.fileExists(atPath: path) else { return (0..<layout.classes).map(String.init) }
    let reader = try ByteReader(path)
    let lines = String(decoding: try reader.read(upTo: reader.capacity), as: UTF8.self).split(
      whereSeparator: \.isNewline)
    let names = lines.map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    guard names.count == layout.classes else {
      throw Fault(.data, "number of class names", at: path, expected: "\(layout.classes)", got: "\(names.count)")
    }
    return names
  }
}
