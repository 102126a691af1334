import Diagnostics
import Foundation

/// The files that a recipe may read: its own folder and what was named on the command line, links resolved.
struct DataAccess {
  private let roots: [String]
  /// Where relative paths are looked for, in order.
  private let folders: [String]
  private let unrestricted: Bool

  init(recipeFolder: String, workingFolder: String, named paths: [String], unrestricted: Bool) {
    self.unrestricted = unrestricted
    folders = [workingFolder, recipeFolder]
    let named = paths.map { $0.hasPrefix("/") ? $0 : workingFolder + "/" + $0 }
    roots = ([recipeFolder] + named).compactMap(Self.resolved)
  }

  /// The real path of what a recipe named; a relative one is looked for in the working folder, then in the recipe's.
  ///
  /// - Throws: a `data` fault when nothing is there or the recipe may not read it.
  func resolve(_ path: String) throws -> URL {
    guard let real = candidates(path).lazy.compactMap(Self.resolved).first else {
      throw Fault(.data, "there is no such file or folder", got: path, hint: "Check the path, or pass it with --set.")
    }
    guard unrestricted || roots.contains(where: { real == $0 || real.hasPrefix($0 == "/" ? "/" : $0 + "/") }) else {
      throw Fault(
        .data, "the recipe may not read this path", expected: "its own folder or a path named on the command line",
        got: path, hint: "Pass it as a setting (--set data=\(path)), or run with --trust.")
    }
    return URL(filePath: real)
  }

  /// Whether a path leads anywhere, from the working folder or the recipe's.
  func exists(_ path: String) -> Bool { candidates(path).contains { Self.resolved($0) != nil } }

  private func candidates(_ path: String) -> [String] {
    path.hasPrefix("/") ? [path] : folders.map { $0 + "/" + path }
  }

  private static func resolved(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }
}
