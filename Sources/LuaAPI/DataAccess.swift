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
    let folders = [workingFolder, recipeFolder]
    roots = ([recipeFolder] + paths.flatMap { Self.candidates($0, in: folders) }).compactMap(Self.resolved)
    self.folders = folders
  }

  /// The real path of what a recipe named; a relative one is looked for in the working folder, then in the recipe's.
  ///
  /// - Throws: a `data` fault when nothing is there or the recipe may not read it.
  func resolve(_ path: String) throws -> URL {
    guard let real = candidates(path).lazy.compactMap(Self.resolved).first else {
      let hint = similar(to: path).map { "Did you mean '\($0)'?" } ?? "Check the path, or pass it with --set."
      throw Fault(.data, "there is no such file or folder", got: path, hint: hint)
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

  /// The path up to its first wrong name, which the nearest of those that are there replaces; nil when none is near.
  private func similar(to path: String) -> String? {
    let isAbsolute = path.hasPrefix("/")
    for base in isAbsolute ? [""] : folders {
      var right: [String] = []
      for name in path.split(separator: "/").map(String.init) {
        let place = ([base] + right).joined(separator: "/")
        if Self.resolved(place + "/" + name) != nil {
          right.append(name)
          continue
        }
        let there = (try? FileManager.default.contentsOfDirectory(atPath: place.isEmpty ? "/" : place)) ?? []
        guard let nearest = Suggestion.nearest(to: name, among: there) else { break }
        return (isAbsolute ? "/" : "") + (right + [nearest]).joined(separator: "/")
      }
    }
    return nil
  }

  private func candidates(_ path: String) -> [String] { Self.candidates(path, in: folders) }

  private static func candidates(_ path: String, in folders: [String]) -> [String] {
    path.hasPrefix("/") ? [path] : folders.map { $0 + "/" + path }
  }

  private static func resolved(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }
}
