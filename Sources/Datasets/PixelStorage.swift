import Foundation

/// Bytes that never change: an array, or a part of a file that is mapped into memory.
final class PixelStorage: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer
  /// Whether the bytes are a file's, which the system reads and drops as it needs to.
  let isMapped: Bool
  private let release: () -> Void

  /// The bytes of an array.
  init(_ array: [UInt8]) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: array.count, alignment: 16)
    copy.copyBytes(from: array)
    bytes = UnsafeRawBufferPointer(copy)
    isMapped = false
    release = { copy.deallocate() }
  }

  /// A part of a mapping; the last part that goes away unmaps it.
  init(_ mapping: MappedFile, _ range: Range<Int>) {
    bytes = UnsafeRawBufferPointer(rebasing: mapping.bytes[range])
    isMapped = true
    release = { withExtendedLifetime(mapping) {} }
  }

  deinit { release() }
}

/// A whole file mapped read-only; unmapped with the object. A file that is replaced by renaming stays as it was.
final class MappedFile: @unchecked Sendable {
  let bytes: UnsafeRawBufferPointer

  /// Nil when there is no such file, or it is empty or can't be mapped.
  init?(_ path: String) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_size > 0,
      let start = mmap(nil, Int(status.st_size), PROT_READ, MAP_SHARED, descriptor, 0), start != MAP_FAILED
    else { return nil }
    bytes = UnsafeRawBufferPointer(start: start, count: Int(status.st_size))
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }
}
