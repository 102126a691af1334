import Diagnostics
import Foundation

/// Files that are either whole or not there: written beside their place, flushed, renamed, the folder flushed.
///
/// A reader never sees a half-written file, and after a power cut the old or the new content is there.
enum AtomicFile {
  /// Replaces or creates the file at `path`. Throws a `data` fault with the system's reason.
  static func write(_ content: Data, to path: String) throws {
    let folder = (path as NSString).deletingLastPathComponent, name = (path as NSString).lastPathComponent
    let temporary = (folder as NSString).appendingPathComponent(".\(name).\(getpid()).partial")
    do {
      try flush(content, to: temporary)
      try check(rename(temporary, path), "rename", path)
    } catch {
      unlink(temporary)
      throw error
    }
    try flushFolder(folder.isEmpty ? "." : folder)
  }

  /// The content of the file at `path`. Throws a `data` fault with the system's reason.
  static func read(_ path: String) throws -> Data {
    do {
      return try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
    } catch {
      throw Fault(
        .data, "can't read the file", at: path, hint: "Check the path and its permissions.",
        cause: SystemError.words(for: error))
    }
  }

  private static func flush(_ content: Data, to path: String) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    try check(file, "create", path)
    defer { close(file) }
    try content.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let written = Foundation.write(file, bytes.baseAddress?.advanced(by: done), bytes.count - done)
        if written < 0, errno == EINTR { continue }
        try check(Int32(clamping: written), "write", path)
        done += written
      }
    }
    try check(fsync(file), "flush", path)
  }

  private static func flushFolder(_ path: String) throws {
    let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    try check(folder, "open the folder", path)
    defer { close(folder) }
    try check(fsync(folder), "flush the folder", path)
  }

  private static func check(_ result: Int32, _ what: String, _ path: String) throws {
    guard result < 0 else { return }
    throw Fault(
      .data, "can't \(what)", at: path, hint: "Check the folder's permissions and the space on its disk.",
      cause: String(cString: strerror(errno)))
  }
}
