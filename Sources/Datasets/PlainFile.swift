import Diagnostics
import Foundation

/// A file read from front to back in pieces.
final class PlainFile {
  let path: String
  /// The file's size in bytes when it was opened.
  let size: Int
  private let descriptor: Int32

  /// Opens a file for reading; throws a `data` fault with near names when it isn't there.
  init(_ path: String) throws {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let reason = String(cString: strerror(errno))
      throw MissingPath.fault(path) ?? Fault(.data, "can't be read", path: path, cause: reason)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw Fault(.data, "is not a file", path: path, expected: "a regular file")
    }
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Reads at most `buffer.count` bytes; 0 means the end of the file.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      let count = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR { throw Fault(.data, "can't be read", path: path, cause: String(cString: strerror(errno))) }
    }
  }

  /// Whether the file starts with these bytes. The position stays.
  func starts(with prefix: [UInt8]) -> Bool {
    var head = [UInt8](repeating: 0, count: prefix.count)
    return pread(descriptor, &head, head.count, 0) == head.count && head == prefix
  }
}

/// The fault of a path that doesn't exist.
enum MissingPath {
  /// A `data` fault that names the last folder on the way that does exist, and its entry that is nearest to what was
  /// asked for; nil when the path exists.
  static func fault(_ path: String) -> Fault? {
    let files = FileManager.default
    guard !files.fileExists(atPath: path) else { return nil }
    var missing = URL(fileURLWithPath: path).standardizedFileURL, folder = missing.deletingLastPathComponent()
    while !files.fileExists(atPath: folder.path), folder.path != "/" {
      missing = folder
      folder = folder.deletingLastPathComponent()
    }
    let name = missing.lastPathComponent
    return Fault(
      .data, "doesn't exist", path: path, expected: "'\(name)' in \(folder.path)",
      hint: hint(for: name, in: folder.path))
  }

  /// The nearest entry of the folder, or its first few.
  static func hint(for name: String, in folder: String) -> String {
    let entries = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    if let nearest = Suggestion.nearest(to: name, among: entries) { return "Did you mean '\(nearest)'?" }
    guard !entries.isEmpty else { return "The folder is empty." }
    return "The folder has: " + entries.prefix(8).joined(separator: ", ") + (entries.count > 8 ? ", …" : ".")
  }
}
