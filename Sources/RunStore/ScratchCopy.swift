import Diagnostics
import Foundation
import GRDB

extension Run {
  /// A copy of the run that can be gone on with, whatever the run's state: a folder beside it that no list shows, with
  /// the record as it is now, the texts, and the kept states of trainings. The caller removes it.
  ///
  /// Files are linked where the file system can, since none of them is changed in place.
  public func scratchCopy() throws -> URL {
    let target = RunFolder(url: try Self.scratchFolder(beside: folder))
    do {
      for name in ["recipe.lua", "run.json", "lib", "weights", "checkpoints"] {
        let source = folder.appending(path: name), path = source.path(percentEncoded: false)
        guard FileManager.default.fileExists(atPath: path) else { continue }
        let copy = target.url.appending(path: name)
        if (try? FileManager.default.linkItem(at: source, to: copy)) == nil {
          try? FileManager.default.removeItem(at: copy)
          try FileManager.default.copyItem(at: source, to: copy)
        }
      }
    } catch {
      throw Fault(.limit, "can't copy the run", at: target.url.path(percentEncoded: false), cause: "\(error)")
    }
    try withFaults(at: target.database) {
      let copy = try DatabaseQueue(path: target.database.path(percentEncoded: false))
      try database.backup(to: copy)
      try copy.write { db in
        try Meta.set(db, "status", RunStatus.interrupted.rawValue)
        try Meta.set(db, "reason", nil as String?)
        try Meta.set(db, "finished", nil as Double?)
      }
    }
    return target.url
  }

  /// The beginning of the names of folders that nobody is meant to find.
  static let scratchPrefix = ".scratch-"

  /// A new folder beside the run, or where that can't be written, in the system's folder for temporary files.
  private static func scratchFolder(beside run: URL) throws -> URL {
    let name = "\(scratchPrefix)\(run.lastPathComponent)-\(getpid())"
    let places = [run.deletingLastPathComponent(), FileManager.default.temporaryDirectory]
    for place in places {
      let folder = place.appending(path: name, directoryHint: .isDirectory)
      try? FileManager.default.removeItem(at: folder)
      if mkdir(folder.path(percentEncoded: false), 0o700) == 0 { return folder }
    }
    throw Fault(
      .limit, "can't make a folder for a copy of the run", at: places[1].path(percentEncoded: false),
      cause: String(cString: strerror(errno)))
  }

  /// Scratch folders whose processes are gone: of removals and copies that were interrupted.
  static func abandonedScratch(in folder: URL) -> [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))) ?? []
    return names.filter { name in
      guard name.hasPrefix(scratchPrefix), let owner = name.split(separator: "-").last.flatMap({ pid_t($0) }) else {
        return false
      }
      return kill(owner, 0) != 0 && errno == ESRCH
    }.map { folder.appending(path: $0) }
  }
}
