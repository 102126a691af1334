import Canonical
import Diagnostics
import Foundation

/// The files of one run folder and how they are written: each whole or not at all.
public struct RunFolder: Sendable {
  let url: URL

  var database: URL { url.appending(path: "run.sqlite") }
  var lock: URL { url.appending(path: "run.lock") }
  var recipe: URL { url.appending(path: "recipe.lua") }
  var description: URL { url.appending(path: "run.json") }

  /// Makes a new folder in `runs`, named by the local time and the run's name, with `-2`, `-3`, … when that is taken.
  ///
  /// Making a folder is atomic, so two processes that start in the same second get two folders.
  static func make(in runs: URL, name: String, at date: Date) throws -> RunFolder {
    do {
      try FileManager.default.createDirectory(at: runs, withIntermediateDirectories: true)
    } catch {
      throw Fault(
        .usage, "can't make the folder for runs", at: runs.path(percentEncoded: false),
        hint: "Choose another with --runs DIR.", cause: SystemError.words(for: error))
    }
    let base = timestamp(date) + "-" + slug(name)
    for attempt in 1... {
      let url = runs.appending(path: attempt == 1 ? base : "\(base)-\(attempt)")
      if mkdir(url.path(percentEncoded: false), 0o777) == 0 { return RunFolder(url: url) }
      guard errno == EEXIST else {
        throw Fault(
          .usage, "can't make the run's folder", at: url.path(percentEncoded: false),
          hint: "Choose another place with --runs DIR.", cause: String(cString: strerror(errno)))
      }
    }
    preconditionFailure("the loop ends by returning or throwing")
  }

  /// Writes a file so that a reader, or a crash at any moment, sees the old content or the new: a temporary file in the
  /// same folder, synchronised, then renamed.
  public static func write(_ text: String, to url: URL) throws {
    let temporary = url.appendingPathExtension("new")
    do {
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(text.utf8).write(to: temporary)
      let handle = try FileHandle(forWritingTo: temporary)
      try handle.synchronize()
      try handle.close()
      guard rename(temporary.path(percentEncoded: false), url.path(percentEncoded: false)) == 0 else {
        throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
      }
    } catch {
      throw Fault(
        .limit, "can't write the file", at: url.path(percentEncoded: false),
        hint: "Check the folder's permissions and the space on its disk; the run can be resumed.",
        cause: SystemError.words(for: error))
    }
  }

  /// `20261120-231145`, local time.
  private static func timestamp(_ date: Date) -> String {
    var seconds = time_t(date.timeIntervalSince1970)
    var parts = tm()
    localtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: 32)
    let length = strftime(&text, text.count, "%Y%m%d-%H%M%S", &parts)
    return String(decoding: text[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// A name as part of a file name: letters, digits, `-` and `_`, at most 40.
  private static func slug(_ name: String) -> String {
    let kept = name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") ? $0 : "-" }
    let words = String(kept).split(separator: "-").joined(separator: "-").prefix(40)
    return words.isEmpty ? "run" : String(words)
  }
}
