import Diagnostics
import Foundation

extension Run {
  /// Throws what `remove` would, before anything is removed.
  public static func checkRemovable(_ folder: URL) throws { _ = try lockForRemoval(folder) }

  private static func lockForRemoval(_ folder: URL) throws -> RunLock {
    let files = RunFolder(url: folder), path = folder.path(percentEncoded: false).withoutTrailingSlash
    try files.checkRecord()
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw Fault(
        .usage, "this is a link to a run", at: path, expected: "the run's own folder",
        hint: "Remove the link with rm, or name the folder that it points to.")
    }
    return try RunLock(files)
  }

  /// Removes a run for good: its folder is renamed at once, so that no list shows half of it, and then deleted.
  ///
  /// Links within the folder are removed, never followed; what they point to stays.
  /// - Throws: `usage` when there is no run, when a process writes it, or when the folder itself is a link.
  public static func remove(_ folder: URL) throws {
    let path = folder.path(percentEncoded: false).withoutTrailingSlash, lock = try lockForRemoval(folder)
    let place = folder.deletingLastPathComponent(), name = folder.lastPathComponent
    let doomed = place.appending(path: "\(scratchPrefix)\(name)-\(getpid())").path(percentEncoded: false)
    guard rename(path, doomed) == 0 else {
      throw Fault(.limit, "can't remove the run", at: path, cause: String(cString: strerror(errno)))
    }
    withExtendedLifetime(lock) {}
    for folder in [URL(filePath: doomed)] + abandonedScratch(in: place) {
      try? FileManager.default.removeItem(at: folder)
    }
    guard !FileManager.default.fileExists(atPath: doomed) else {
      throw Fault(
        .limit, "the run is off the list, but not all of its files could be deleted", at: doomed,
        hint: "Look at the permissions, and delete the folder.")
    }
  }
}

extension RunFolder {
  /// Throws a `usage` fault unless there is a record.
  func checkRecord() throws {
    guard hasRecord else {
      throw Fault(
        .usage, "this folder holds no run", at: url.path(percentEncoded: false), expected: "a file run.sqlite",
        hint: "'nasrun ls' shows the runs there are.")
    }
  }
}

extension String {
  fileprivate var withoutTrailingSlash: String { count > 1 && hasSuffix("/") ? String(dropLast()) : self }
}
