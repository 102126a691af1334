import Diagnostics
import Foundation

/// Folders of JPEG and PNG files with one folder per class.
///
/// `root/train/<class>/…` with `root/valid/<class>/…` and `root/test/<class>/…` (`val` is another name of `valid`; where
/// there is no `test`, `valid` is the test part), or `root/<class>/…`, of which a part is split off for the test. Classes
/// are in the order of their names' bytes, files too; names that start with a dot are left out.
struct ImageFolder {
  /// One file and its class.
  struct Item {
    let path: String
    let label: Int32
  }

  let path: String
  let classNames: [String]
  let train: [Item]
  /// Nil: the folder has no validation part of its own.
  let valid: [Item]?
  /// Nil: to be split off.
  let test: [Item]?

  /// Lists a folder.
  ///
  /// - Throws: a `data` fault for a folder without images, or with other classes in a part.
  init(_ path: String) throws {
    self.path = path
    let parts = Set(Self.folders(in: path))
    guard parts.contains("train") else {
      classNames = try Self.classes(in: path)
      train = try Self.items(path, classNames)
      (valid, test) = (nil, nil)
      return
    }
    classNames = try Self.classes(in: path + "/train")
    let names = classNames
    train = try Self.items(path + "/train", names)
    let held = try ["valid", "val"].first(where: parts.contains).map { try Self.items(path + "/" + $0, names) }
    if parts.contains("test") {
      valid = held
      test = try Self.items(path + "/test", names)
    } else {
      (valid, test) = (nil, held)
    }
  }

  /// Whether a folder has folders that this could read.
  static func matches(_ path: String) -> Bool { !folders(in: path).isEmpty }

  /// The folders of the classes.
  private static func classes(in path: String) throws -> [String] {
    let classes = folders(in: path)
    guard classes.count > 1 else {
      throw Fault(
        .data, "images of one class only", path: path, expected: "a folder for each of at least two classes",
        got: classes.first.map { "the folder '\($0)'" } ?? "no folder")
    }
    return classes
  }

  /// The folders in a folder, sorted.
  private static func folders(in path: String) -> [String] {
    entries(of: path).filter { name in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: path + "/" + name, isDirectory: &isFolder) && isFolder.boolValue
    }
  }

  private static func entries(of path: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.filter { !$0.hasPrefix(".") }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// The files of each class.
  private static func items(_ path: String, _ classes: [String]) throws -> [Item] {
    if let unknown = folders(in: path).first(where: { !classes.contains($0) }) {
      throw Fault(
        .data, "a class that the training part doesn't have", path: path,
        expected: classes.prefix(8).joined(separator: ", ") + (classes.count > 8 ? ", …" : ""), got: unknown,
        hint: Suggestion.nearest(to: unknown, among: classes).map { "Did you mean '\($0)'?" })
    }
    let items = try classes.enumerated().flatMap { number, name in
      let folder = path + "/" + name, files = entries(of: folder)
      if files.isEmpty, FileManager.default.fileExists(atPath: folder) {
        throw Fault(
          .data, "a class without images", path: folder, expected: "JPEG or PNG files", got: "an empty folder")
      }
      if let nested = folders(in: folder).first {
        throw Fault(
          .data, "a folder within the folder of a class", path: folder + "/" + nested, expected: "JPEG or PNG files",
          hint: "Name the folder that has a folder for each class, or one with train/ and test/ of such.")
      }
      return files.map { Item(path: folder + "/" + $0, label: Int32(number)) }
    }
    guard !items.isEmpty else {
      throw Fault(.data, "no images", path: path, expected: "JPEG or PNG files in a folder for each class")
    }
    return items
  }
}
