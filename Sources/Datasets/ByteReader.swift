import CZlib
import Diagnostics

/// The bytes of a file that may be compressed by gzip: told by its first two bytes, not by its name.
///
/// Compressed data are inflated as they are read; every check of zlib (lengths, CRC-32) is an error that names the
/// place in the file.
final class ByteReader {
  private let file: PlainFile
  private let inflater: Inflater?
  /// How many bytes were delivered: the place in the file, or in the data after decompression.
  private(set) var offset = 0

  init(_ path: String) throws {
    file = try PlainFile(path)
    inflater = file.starts(with: [0x1f, 0x8b]) ? Inflater(file) : nil
  }

  var path: String { file.path }
  var isCompressed: Bool { inflater != nil }

  /// The most bytes that the file can hold: its size, or 1032 times as many (the limit of deflate; zlib.net,
  /// "Technical Details").
  var capacity: Int { isCompressed ? file.size.multipliedReportingOverflow(by: 1032).partialValue : file.size }

  /// `file, offset N`, for a fault.
  func place(_ offset: Int) -> String {
    "\(path), offset \(offset)" + (isCompressed ? " after decompression" : "")
  }

  /// Reads exactly `buffer.count` bytes, or as many as there are. Returns their number.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var count = 0
    while count < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
      let got = try inflater?.read(into: rest) ?? file.read(into: rest)
      if got == 0 { break }
      count += got
    }
    offset += count
    return count
  }

  /// Reads at most `count` bytes. Memory grows with what is really there, never with what a header claims.
  func read(upTo count: Int) throws -> [UInt8] {
    let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: min(count, 1 << 20), alignment: 16)
    defer { piece.deallocate() }
    var bytes: [UInt8] = []
    while bytes.count < count {
      let wanted = min(piece.count, count - bytes.count)
      let got = try read(into: .init(rebasing: piece[..<wanted]))
      bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: piece[..<got]))
      if got < wanted { break }
    }
    return bytes
  }
}

/// Decompression of a gzip file (RFC 1952), one or more members, by zlib.
private final class Inflater {
  private let file: PlainFile
  private var stream = z_stream()
  private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
  private var fileOffset = 0
  private var isMemberOpen = true

  init(_ file: PlainFile) {
    self.file = file
    // 16 + 15: a gzip header and the largest window.
    inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
  }

  deinit {
    inflateEnd(&stream)
    input.deallocate()
  }

  /// Reads some bytes; 0 means the end of the last member.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    stream.next_out = buffer.bindMemory(to: UInt8.self).baseAddress
    stream.avail_out = UInt32(clamping: buffer.count)
    let room = Int(stream.avail_out)
    while Int(stream.avail_out) == room {
      if stream.avail_in == 0, try !refill() { return 0 }
      if !isMemberOpen {
        inflateReset(&stream)
        isMemberOpen = true
      }
      try step()
    }
    return room - Int(stream.avail_out)
  }

  /// Takes the next piece of the file; false at its end, which must be the end of a member.
  private func refill() throws -> Bool {
    let count = try file.read(into: input)
    fileOffset += count
    stream.next_in = input.bindMemory(to: UInt8.self).baseAddress
    stream.avail_in = UInt32(count)
    if count == 0, isMemberOpen {
      throw Fault(
        .data, "the gzip file is cut off", at: "\(file.path), offset \(fileOffset)", expected: "more compressed data",
        got: "the end of the file", hint: "Fetch the file again.")
    }
    return count > 0
  }

  private func step() throws {
    switch inflate(&stream, Z_NO_FLUSH) {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END: isMemberOpen = false
    default:
      let reason = stream.msg.map { String(cString: $0) } ?? "zlib failed"
      throw Fault(
        .data, "the gzip data are damaged", at: "\(file.path), offset \(fileOffset - Int(stream.avail_in))",
        hint: "Fetch the file again.", cause: reason)
    }
  }
}
