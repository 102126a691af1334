import Diagnostics

/// The IDX format of MNIST and its successors: a big-endian header, then one byte per value; plain or gzip.
///
/// Images: magic 0x00000803, number, rows, columns, then the pixels. Labels: magic 0x00000801, number, then the
/// labels. (LeCun, Cortes, Burges: "The MNIST database of handwritten digits", file formats.)
public enum IDX {
  /// Grey images `[N, H, W, 1]` and their sizes.
  public struct Images: Sendable {
    public let count: Int
    public let height: Int
    public let width: Int
    public let pixels: [UInt8]
  }

  /// The largest height or width that is believed.
  static let largestSide = 4096

  /// Reads a file of images.
  ///
  /// - Throws: a `data` fault with file, offset, what was expected and what came.
  public static func images(at path: String) throws -> Images {
    let reader = try ByteReader(path)
    try checkMagic(0x803, "of images", reader)
    let count = try size(reader, "number of images", 1...Int(UInt32.max))
    let height = try size(reader, "rows", 1...largestSide)
    let width = try size(reader, "columns", 1...largestSide)
    let pixels = try payload(reader, count: count * height * width, "\(count) images of \(height)×\(width)")
    return Images(count: count, height: height, width: width, pixels: pixels)
  }

  /// Reads a file of labels, 0…255.
  ///
  /// - Throws: a `data` fault with file, offset, what was expected and what came.
  public static func labels(at path: String) throws -> [UInt8] {
    let reader = try ByteReader(path)
    try checkMagic(0x801, "of labels", reader)
    let count = try size(reader, "number of labels", 1...Int(UInt32.max))
    return try payload(reader, count: count, "\(count) labels")
  }

  /// Where the labels begin in a file of labels.
  static let firstLabelOffset = 8

  private static func word(_ reader: ByteReader, _ name: String) throws -> Int {
    let offset = reader.offset
    let bytes = try reader.read(upTo: 4)
    guard bytes.count == 4 else {
      throw Fault(
        .data, "the header is cut off", at: reader.place(offset), expected: "4 bytes (\(name))",
        got: "\(bytes.count) \(bytes.count == 1 ? "byte" : "bytes")")
    }
    return bytes.reduce(0) { $0 << 8 | Int($1) }
  }

  private static func checkMagic(_ magic: Int, _ kind: String, _ reader: ByteReader) throws {
    let got = try word(reader, "magic number")
    guard got == magic else {
      let swapped = [0x801: "This is a file of labels.", 0x803: "This is a file of images."][got]
      throw Fault(
        .data, "not an IDX file \(kind)", at: reader.place(0), expected: "magic number \(hex(magic))", got: hex(got),
        hint: swapped)
    }
  }

  private static func hex(_ value: Int) -> String {
    let digits = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
  }

  private static func size(_ reader: ByteReader, _ name: String, _ range: ClosedRange<Int>) throws -> Int {
    let offset = reader.offset
    let value = try word(reader, name)
    guard range.contains(value) else {
      throw Fault(
        .data, "\(name) out of range", at: reader.place(offset), expected: "\(range.lowerBound)…\(range.upperBound)",
        got: "\(value)")
    }
    return value
  }

  /// Reads what the header announced, and nothing may follow.
  private static func payload(_ reader: ByteReader, count: Int, _ content: String) throws -> [UInt8] {
    let start = reader.offset
    let expected = "\(count) bytes (\(content))"
    let room = max(0, reader.isCompressed ? reader.capacity : reader.capacity - start)
    guard count <= room else {
      throw Fault(
        .data, "the header claims more than the file can hold", at: reader.place(start), expected: expected,
        got: (reader.isCompressed ? "at most " : "") + "\(room) bytes")
    }
    let bytes = try reader.read(upTo: count)
    guard bytes.count == count else {
      throw Fault(
        .data, "the data are cut off", at: reader.place(reader.offset), expected: expected, got: "\(bytes.count) bytes",
        hint: "Fetch the file again.")
    }
    guard try reader.read(upTo: 1).isEmpty else {
      throw Fault(
        .data, "data after the end", at: reader.place(start + count), expected: "the end after \(content)",
        got: "more bytes")
    }
    return bytes
  }
}
