import Canonical
import Foundation

/// A file of decoded images: a page of JSON, filled up with blanks, and the pixels `[N, H, W, C]`.
struct CachedImages {
  /// The version of the file format and of what decoding means.
  static let version = 1
  /// Where the pixels begin: a multiple of the page size.
  static let headerSize = 4096
  private static let format = "nasrun images"

  /// `[N, H, W, C]`.
  let shape: [Int]
  /// The digest of the set that the pixels were written from.
  let digest: String
  let pixels: PixelStorage

  /// Maps a file; nil unless header and length are those of a whole file of this key.
  init?(_ path: String, key: String) {
    guard let file = MappedFile(path), file.bytes.count > Self.headerSize,
      let header = try? JSONValue(parsing: file.bytes[..<Self.headerSize], source: path),
      header["format"]?.string == Self.format, header["version"]?.int == Self.version, header["key"]?.string == key,
      let shape = header["shape"]?.array?.compactMap(\.int), let digest = header["digest"]?.string, shape.count == 4,
      let size = Self.size(shape), size == file.bytes.count - Self.headerSize
    else { return nil }
    self.shape = shape
    self.digest = digest
    pixels = PixelStorage(file, Self.headerSize..<Self.headerSize + size)
  }

  /// The header of a file.
  static func header(key: String, shape: [Int], digest: String) -> [UInt8] {
    let header: JSONValue = [
      "format": .string(format), "version": .int(version), "key": .string(key),
      "shape": .array(shape.map(JSONValue.int)), "digest": .string(digest),
    ]
    let text = Array(header.text().utf8)
    return text + [UInt8](repeating: UInt8(ascii: " "), count: headerSize - text.count)
  }

  /// The product of positive sizes; nil when it is too large.
  private static func size(_ shape: [Int]) -> Int? {
    shape.reduce(1 as Int?) { product, side in
      guard let product, side > 0 else { return nil }
      let (result, overflow) = product.multipliedReportingOverflow(by: side)
      return overflow ? nil : result
    }
  }
}

/// A file that is written under another name and gets its own when it is whole; without that, it is removed.
final class StagedFile {
  private let temporary: String, target: String
  private let descriptor: Int32
  private var end = 0

  /// - Throws: an `ImageCache.Failure` when the temporary file can't be made.
  init(_ temporary: String, replacing target: String) throws {
    self.temporary = temporary
    self.target = target
    descriptor = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw ImageCache.Failure((target as NSString).deletingLastPathComponent) }
  }

  deinit {
    close(descriptor)
    unlink(temporary)
  }

  /// Takes the room on the disk that the file will need, and goes to where writing begins.
  func reserve(_ size: Int, from start: Int) throws {
    errno = posix_fallocate(descriptor, 0, off_t(size))
    guard errno == 0 else { throw ImageCache.Failure(target) }
    end = start
  }

  /// Writes behind what is there.
  func append(_ bytes: [UInt8]) throws {
    try write(bytes, at: end)
    end += bytes.count
  }

  private func write(_ bytes: [UInt8], at offset: Int) throws {
    try bytes.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = pwrite(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done, off_t(offset + done))
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw ImageCache.Failure(target) }
        done += count
      }
    }
  }

  /// What was written so far, mapped; nil when it can't be.
  func mapped() -> MappedFile? { MappedFile(temporary) }

  /// Writes the first bytes, flushes everything and gives the file its name.
  func finish(header: [UInt8]) throws {
    try write(header, at: 0)
    guard fsync(descriptor) == 0, rename(temporary, target) == 0 else { throw ImageCache.Failure(target) }
    let folder = open((target as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else { return }
    fsync(folder)
    close(folder)
  }
}
