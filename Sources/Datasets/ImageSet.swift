import Canonical
import Diagnostics

/// Labelled images of one size, as bytes: pixels `[N, H, W, C]`, one label per image.
///
/// A value over shared, immutable storage: copies cost nothing. What a network sees is made of it batch by batch
/// (`TrainingBatches`, `EvaluationBatches`).
public struct ImageSet: Sendable {
  /// Where the images came from, for people: `shapes/train`, a file name.
  public let name: String
  public let height: Int
  public let width: Int
  public let channels: Int
  private let storage: PixelStorage
  /// The rows of a table, whose set has no pixels: height and width are 1, channels are its inputs.
  public let table: TableRows?
  /// The class of each image, in `0..<classNames.count`.
  public let labels: [Int32]
  public let classNames: [String]
  /// SHA-256 of the framed text "images", N, H, W, C and the number of classes (8 bytes each), pixels, and labels (4
  /// bytes each), little-endian; names don't count.
  public let digest: String

  /// Checks the sizes and labels; throws a `data` fault when they disagree or when there is no image.
  public init(
    name: String, height: Int, width: Int, channels: Int, pixels: [UInt8], labels: [Int32], classNames: [String]
  ) throws {
    try self.init(
      name: name, height: height, width: width, channels: channels, storage: PixelStorage(pixels), labels: labels,
      classNames: classNames)
  }

  /// The same over bytes that are shared, not copied.
  init(
    name: String, height: Int, width: Int, channels: Int, storage: PixelStorage, labels: [Int32], classNames: [String]
  ) throws {
    let expected = labels.count * height * width * channels
    guard storage.bytes.count == expected, expected > 0 else {
      throw Fault(
        .data, "\(name): pixels and labels disagree", path: name,
        expected: "\(labels.count) images of \(height)×\(width)×\(channels), at least one",
        got: "\(storage.bytes.count) bytes"
      )
    }
    if let index = labels.firstIndex(where: { $0 < 0 || $0 >= classNames.count }) {
      throw Fault(
        .data, "label of image \(index) is out of range", path: name, expected: "0…\(classNames.count - 1)",
        got: "\(labels[index])")
    }
    self.name = name
    self.height = height
    self.width = width
    self.channels = channels
    self.storage = storage
    table = nil
    self.labels = labels
    self.classNames = classNames
    digest = Self.digest(shape: [labels.count, height, width, channels, classNames.count], storage, labels)
  }

  /// The rows of a table. Throws a `data` fault when there is none.
  init(name: String, table: TableRows, labels: [Int32], classNames: [String]) throws {
    guard !labels.isEmpty, table.values.count == labels.count * table.inputs.count else {
      throw Fault(.data, "rows and labels disagree", path: name, expected: "\(labels.count) rows, at least one")
    }
    self.name = name
    (height, width, channels) = (1, 1, table.inputs.count)
    storage = PixelStorage([])
    self.table = table
    self.labels = labels
    self.classNames = classNames
    digest = table.digest(labels: labels, classes: classNames.count)
  }

  /// Whether a number is to be predicted instead of a class.
  public var isRegression: Bool { table?.targets != nil }

  /// The shape of a sample as networks get it: `[H, W, C]`, or `[C]` for a table.
  public var sampleShape: [Int] { table == nil ? [height, width, channels] : [channels] }

  /// A copy of the intensities 0…255: image after image, rows from the top, channels of a pixel together.
  public var pixels: [UInt8] { Array(storage.bytes) }

  /// Passes the intensities without a copy.
  func withPixels<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    withExtendedLifetime(storage) { body(storage.bytes.bindMemory(to: UInt8.self)) }
  }

  /// The bytes of memory that pixels or rows and labels take; those of a mapped file are the system's.
  var memoryBytes: Int {
    let numbers = (table?.values.count ?? 0) + (table?.targets?.count ?? 0)
    return (storage.isMapped ? 0 : storage.bytes.count) + 4 * (numbers + labels.count)
  }

  /// Whether both are over the same bytes in memory.
  func sharesContent(with other: ImageSet) -> Bool { storage === other.storage }

  /// The number of images.
  public var count: Int { labels.count }

  /// Values per image, `H * W * C`.
  public var imageSize: Int { height * width * channels }

  private static func digest(shape: [Int], _ storage: PixelStorage, _ labels: [Int32]) -> String {
    let digest = ContentDigest()
    digest.update("images")
    for size in shape { digest.update(UInt64(size)) }
    digest.update(bytes: storage.bytes)
    labels.map(\.littleEndian).withUnsafeBytes { digest.update(bytes: $0) }
    return digest.finish()
  }
}
