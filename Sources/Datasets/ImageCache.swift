import Diagnostics
import Foundation

/// A folder of decoded images, one file for each way of reading a folder of JPEG and PNG files, mapped read-only.
///
/// A file is found by its key: the format's version, the decode options, and path, size and times of each picture. It is
/// written beside its place, flushed and renamed, so processes that do so at once each leave a whole file. One whose
/// header, length or content digest is wrong counts as missing and is replaced. The folder may be removed at any time;
/// a run that has a file mapped keeps what it mapped.
public struct ImageCache: Sendable {
  /// How many bytes the files may take together; the newest may take more on its own.
  public static let standardLimit = 20 << 30

  let folder: String
  let limit: Int

  /// A cache in a folder, which is made when it is first written to.
  public init(folder: String, limit: Int = standardLimit) {
    self.folder = folder
    self.limit = limit
  }

  /// `nasrun/images` in the user's cache folder: `XDG_CACHE_HOME`, or `.cache` in `HOME` (XDG Base Directory
  /// Specification 0.8; a relative path counts as none). Nil without either.
  public static func standardFolder(_ environment: [String: String]) -> String? {
    let named = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 + "/.cache" : nil }
    return (named ?? home).map { $0 + "/nasrun/images" }
  }

  /// Why a file can't be written: the folder is read-only, the disk is full.
  struct Failure: Error {
    let reason: String

    /// The system's last error.
    init(_ path: String) { reason = "\(path): " + String(cString: strerror(errno)) }
  }

  private static let suffix = ".images", partialSuffix = ".partial"

  private func path(_ key: String) -> String { folder + "/" + key.prefix(32) + Self.suffix }

  /// The file of a key, if there is a whole one; its content is still to be compared with the digest in its header.
  func open(_ key: String) -> CachedImages? {
    guard let file = CachedImages(path(key), key: key) else { return nil }
    // What was used last is removed last.
    utimensat(AT_FDCWD, path(key), nil, 0)
    return file
  }

  /// Begins the file of a key.
  ///
  /// - Throws: a `Failure` when the folder can't be written to.
  func create(_ key: String) throws -> StagedFile {
    let files = FileManager.default
    try? files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return try StagedFile(
      "\(folder)/.\(key.prefix(32)).\(UUID().uuidString)\(Self.partialSuffix)", replacing: path(key))
  }

  /// Removes what killed processes left, and the files that were not used for longest until the rest takes at most the
  /// limit; the file of `key` stays.
  func clean(keeping key: String) {
    let files = FileManager.default, kept = path(key)
    var entries: [(path: String, size: Int, used: Int)] = []
    for name in (try? files.contentsOfDirectory(atPath: folder)) ?? [] {
      let path = folder + "/" + name
      guard let status = FileStatus(path), path != kept else { continue }
      if name.hasSuffix(Self.partialSuffix), status.modified < Self.now - 86_400_000_000_000 { unlink(path) }
      if name.hasSuffix(Self.suffix) { entries.append((path, status.size, status.modified)) }
    }
    var total = entries.reduce(FileStatus(kept)?.size ?? 0) { $0 + $1.size }
    for entry in entries.sorted(by: { $0.used < $1.used }) where total > limit {
      unlink(entry.path)
      total -= entry.size
    }
  }

  private static var now: Int { Int(Date().timeIntervalSince1970 * 1e9) }
}

/// Size and times of a file, links followed.
struct FileStatus {
  let size: Int
  /// Nanoseconds since 1970: of the last change of the content, and of the last change of anything.
  let modified: Int, changed: Int

  /// Nil when there is no such file.
  init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    size = Int(status.st_size)
    modified = status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec
    changed = status.st_ctim.tv_sec * 1_000_000_000 + status.st_ctim.tv_nsec
  }
}
