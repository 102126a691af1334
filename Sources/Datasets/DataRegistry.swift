import Diagnostics
import Foundation

/// Finds a data set by the name of a built-in one or by the path of a folder.
public enum DataRegistry {
  /// The built-in sets.
  public static let names = ["shapes"]

  /// Opens a data set.
  ///
  /// - Parameters:
  ///   - source: `shapes`, or the path of a folder of IDX files (see `IDX.folder`).
  ///   - shapes: how `shapes` is drawn.
  ///   - classes: the number of classes of a folder; nil: as its training labels tell.
  /// - Throws: a `data` fault for an unknown name or damaged files; a `recipe` fault for options out of range.
  public static func open(
    _ source: String, options: Dataset.Options = .init(), shapes: Shapes.Options = .init(), classes: Int? = nil
  ) throws -> Dataset {
    if names.contains(source) {
      let (train, test) = try Shapes.draw(shapes)
      return try Dataset(name: source, train: train, test: test, options: options)
    }
    guard source.contains("/") || FileManager.default.fileExists(atPath: source) else { throw unknown(source) }
    let (train, test) = try IDX.folder(source, classes: classes)
    let name = URL(fileURLWithPath: source).standardizedFileURL.lastPathComponent
    return try Dataset(name: name, train: train, test: test, options: options)
  }

  private static func unknown(_ name: String) -> Fault {
    let hint = Suggestion.nearest(to: name, among: names).map { "Did you mean '\($0)'?" }
    return Fault(
      .data, "no data set of this name and no such folder", path: name,
      expected: names.map { "'\($0)'" }.joined(separator: ", ") + " or the path of a folder of IDX files",
      hint: hint ?? MissingPath.hint(for: name, in: FileManager.default.currentDirectoryPath))
  }
}
