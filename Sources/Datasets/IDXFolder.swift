import Diagnostics
import Foundation

extension IDX {
  /// Reads a folder with the four files of MNIST and its successors, each plain or gzip (`.gz`):
  /// `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`.
  ///
  /// Classes are named `0`, `1`, …; their number is `classes`, or else one more than the largest training label, and
  /// then each class must have a training image.
  ///
  /// - Throws: a `data` fault with file, offset, what was expected and what came.
  public static func folder(_ path: String, classes: Int? = nil) throws -> (train: ImageSet, test: ImageSet) {
    let name = URL(fileURLWithPath: path).standardizedFileURL.lastPathComponent
    let train = try LabelledFiles(folder: path, prefix: "train")
    let classes = try classes ?? train.contiguousClasses()
    let test = try LabelledFiles(folder: path, prefix: "t10k")
    try test.checkSize(sameAs: train)
    return (
      try train.imageSet(name: name + "/train", classes: classes),
      try test.imageSet(name: name + "/test", classes: classes)
    )
  }
}

/// A file of images and the file of their labels.
private struct LabelledFiles {
  let imagePath: String
  let labelPath: String
  let images: IDX.Images
  let labels: [UInt8]

  init(folder: String, prefix: String) throws {
    imagePath = try Self.file("\(prefix)-images-idx3-ubyte", in: folder)
    labelPath = try Self.file("\(prefix)-labels-idx1-ubyte", in: folder)
    labels = try IDX.labels(at: labelPath)
    images = try IDX.images(at: imagePath)
    guard labels.count == images.count else {
      throw Fault(
        .data, "number of labels", at: "\(labelPath), offset 4",
        expected: "\(images.count), the number of images in \(imagePath)", got: "\(labels.count)")
    }
  }

  private static func file(_ name: String, in folder: String) throws -> String {
    let paths = [name, name + ".gz"].map { folder + (folder.hasSuffix("/") ? "" : "/") + $0 }
    if let path = paths.first(where: { FileManager.default.fileExists(atPath: $0) }) { return path }
    if let fault = MissingPath.fault(folder) { throw fault }
    throw Fault(
      .data, "a file of the data set is missing", path: folder, expected: "\(name) or \(name).gz",
      hint: MissingPath.hint(for: name, in: folder))
  }

  /// The number of classes when labels are 0, 1, … without a gap.
  func contiguousClasses() throws -> Int {
    let present = Set(labels)
    let classes = (0...256).first { $0 == 256 || !present.contains(UInt8($0)) } ?? 256
    try check(
      labelsBelow: classes, reason: classes == 0 ? "0 (no label is 0)" : "0…\(classes - 1) (no label is \(classes))")
    return classes
  }

  private func check(labelsBelow classes: Int, reason: String) throws {
    guard let index = labels.firstIndex(where: { $0 >= classes }) else { return }
    throw Fault(
      .data, "label out of range", at: "\(labelPath), offset \(IDX.firstLabelOffset + index)", expected: reason,
      got: "\(labels[index])")
  }

  func checkSize(sameAs other: LabelledFiles) throws {
    guard (images.height, images.width) != (other.images.height, other.images.width) else { return }
    throw Fault(
      .data, "size of the images", at: "\(imagePath), offset 8",
      expected: "\(other.images.height)×\(other.images.width) as in \(other.imagePath)",
      got: "\(images.height)×\(images.width)")
  }

  func imageSet(name: String, classes: Int) throws -> ImageSet {
    try check(labelsBelow: classes, reason: "0…\(classes - 1)")
    return try ImageSet(
      name: name, height: images.height, width: images.width, channels: 1, pixels: images.pixels,
      labels: labels.map(Int32.init), classNames: (0..<classes).map(String.init))
  }
}
