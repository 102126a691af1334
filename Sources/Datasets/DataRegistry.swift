import Diagnostics
import Foundation

/// Finds a data set by the name of a built-in one or by the path of a folder.
public enum DataRegistry {
  /// The built-in sets.
  public static let names = ["shapes"]

  /// Opens a data set.
  ///
  /// - Parameters:
  ///   - source: `shapes`, or the path of a folder, whose content tells the format: CIFAR-10 or CIFAR-100 in binary
  ///     (`CIFAR`), a folder of JPEG and PNG files for each class (`ImageFolder`), or IDX files (`IDX.folder`).
  ///   - shapes: how `shapes` is drawn.
  ///   - classes: the number of classes of a folder of IDX files; nil: as its training labels tell.
  ///   - folder: how a folder's files become images.
  ///   - cache: where decoded JPEG and PNG files are kept; nil: nowhere.
  /// - Throws: a `data` fault for an unknown name or damaged files; a `recipe` fault for options out of range.
  public static func open(
    _ source: String, options: Dataset.Options = .init(), shapes: Shapes.Options = .init(), classes: Int? = nil,
    folder: FolderOptions = .init(), cache: ImageCache? = nil
  ) throws -> Dataset {
    if names.contains(source) {
      try folder.check(allowed: [], format: "'\(source)'")
      let (train, test) = try Shapes.draw(shapes)
      return try Dataset(name: source, train: train, test: test, options: options)
    }
    guard source.contains("/") || FileManager.default.fileExists(atPath: source) else { throw unknown(source) }
    let name = URL(fileURLWithPath: source).standardizedFileURL.lastPathComponent
    switch try Format(of: source) {
    case .imageFolder:
      try folder.check(allowed: ["size", "channels", "test"], format: "a folder of images")
      let content = try ImageFolder(source).read(folder, cache: cache)
      return try Dataset(name: name, content: content, options: options, test: folder.test)
    case .cifar10:
      try folder.check(allowed: [], format: "CIFAR-10")
      let (train, test) = try CIFAR.folder10(source)
      return try Dataset(name: name, train: train, test: test, options: options)
    case .cifar100:
      try folder.check(allowed: ["labels"], format: "CIFAR-100")
      let (train, test) = try CIFAR.folder100(source, labels: folder.labels ?? .fine)
      return try Dataset(name: name, train: train, test: test, options: options)
    case .idx:
      try folder.check(allowed: [], format: "a folder of IDX files")
      let (train, test) = try IDX.folder(source, classes: classes)
      return try Dataset(name: name, train: train, test: test, options: options)
    }
  }

  /// What the content of a folder is.
  private enum Format {
    case cifar10, cifar100, imageFolder, idx

    init(of folder: String) throws {
      let files = Set((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      if files.contains(where: { CIFAR.ten.trainFiles.contains($0) || $0 == CIFAR.ten.testFile }) {
        self = .cifar10
      } else if files.contains("train.bin") || files.contains("test.bin") {
        self = .cifar100
      } else if files.contains(where: { $0.contains("-idx") }) || !FileManager.default.fileExists(atPath: folder) {
        self = .idx
      } else if ImageFolder.matches(folder) {
        self = .imageFolder
      } else {
        throw Fault(
          .data, "no data that nasrun can read", path: folder,
          expected: "a folder of IDX files, of CIFAR files or of a folder of JPEG or PNG files for each class, "
            + "or a table whose name ends in .csv",
          got: Self.content(of: folder, files))
      }
    }

    /// What was found instead.
    private static func content(of folder: String, _ files: Set<String>) -> String {
      var isFolder: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder)
      guard isFolder.boolValue else { return "a file" }
      return files.sorted().first.map { "files such as \($0)" } ?? "an empty folder"
    }
  }

  private static func unknown(_ name: String) -> Fault {
    let hint = Suggestion.nearest(to: name, among: names).map { "Did you mean '\($0)'?" }
    return Fault(
      .data, "no data set of this name and no such folder", path: name,
      expected: names.map { "'\($0)'" }.joined(separator: ", ")
        + " or the path of a folder of IDX files, CIFAR files or images",
      hint: hint ?? MissingPath.hint(for: name, in: FileManager.default.currentDirectoryPath))
  }
}
