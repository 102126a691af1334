import Diagnostics
import Foundation
import Testing

@testable import Datasets

/// Decoded folders of pictures that later runs map.
@Suite final class ImageCacheTests {
  private let place = NSTemporaryDirectory() + "image-cache-" + UUID().uuidString
  private var images: String { place + "/images" }
  private var cache: ImageCache { ImageCache(folder: place + "/cache") }

  init() throws {
    for number in 0..<3 {
      for name in ["a", "b"] { try copy("colour.png", to: "\(name)/\(number).png") }
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: place) }

  private func copy(_ name: String, to path: String) throws {
    let source = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "References/images/" + name)
    let target = URL(filePath: images + "/" + path)
    try FileManager.default.createDirectory(at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
    try? FileManager.default.removeItem(at: target)
    try FileManager.default.copyItem(at: source, to: target)
  }

  private func read(_ options: FolderOptions = .init(), _ cache: ImageCache? = nil) throws -> ImageFolder.Content {
    try ImageFolder(images).read(options, cache: cache ?? self.cache)
  }

  private func files(_ folder: String? = nil) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder ?? cache.folder)) ?? []).sorted()
  }

  private func onlyFile() throws -> URL { URL(filePath: cache.folder + "/" + (try #require(files().first))) }

  @Test func theSecondTimeNothingIsDecoded() throws {
    let plain = try ImageFolder(images).read(.init())
    let first = try read(), second = try read()
    #expect(plain.decoded == 6 && first.decoded == 6 && second.decoded == 0)
    #expect(Set([plain.set.digest, first.set.digest, second.set.digest]).count == 1)
    #expect(second.set.pixels == plain.set.pixels && second.set.labels == plain.set.labels)
    #expect(second.set.classNames == ["a", "b"] && second.train == plain.train)
    #expect(files().count == 1 && first.warning == nil)
    let digests = try [nil, cache].map { try DataRegistry.open(images, folder: .init(test: 0.5), cache: $0).digest }
    #expect(digests[0] == digests[1])
  }

  @Test func mappedImagesTakeNoMemory() throws {
    let data = try DataRegistry.open(images, folder: .init(test: 0.5))
    #expect(data.memoryBytes == 6 * (13 * 17 * 3 + 4))
    #expect(try DataRegistry.open(images, folder: .init(test: 0.5), cache: cache).memoryBytes == 6 * 4)
  }

  @Test func otherOptionsAndChangedFilesAreDecoded() throws {
    #expect(try read().decoded == 6)
    #expect(try read(.init(size: [8, 8])).decoded == 6)
    #expect(try read(.init(channels: 1)).decoded == 6)
    #expect(try read(.init(size: [8, 8])).decoded == 0 && files().count == 3)
    try copy("grey.png", to: "a/1.png")
    let changed = try read()
    #expect(changed.decoded == 6)
    #expect(try changed.set.digest == ImageFolder(images).read(.init()).set.digest)
    try FileManager.default.removeItem(atPath: images + "/b/2.png")
    #expect(try read().set.count == 5)
  }

  /// A file of the same size and with its old times, put in the place of another, is another file.
  @Test func aFileThatLooksUnchanged() throws {
    let target = images + "/a/0.png", digest = try read().set.digest
    let attributes = try FileManager.default.attributesOfItem(atPath: target)
    try copy("grey.png", to: "a/0.png")
    var bytes = try Data(contentsOf: URL(filePath: target))
    bytes += Data(count: max(0, (attributes[.size] as? Int ?? 0) - bytes.count))
    try bytes.write(to: URL(filePath: target))
    let times = attributes.filter { $0.key == .modificationDate }
    try FileManager.default.setAttributes(times, ofItemAtPath: target)
    let now = try? read()
    #expect(now?.set.digest != digest && now?.decoded != 0)
  }

  /// Whatever is wrong with a file, it is decoded again and the file is replaced by a whole one.
  @Test(arguments: ["cut", "empty", "header", "pixel", "longer", "folder", "version", "shape"])
  func aDamagedFileIsReplaced(_ damage: String) throws {
    let digest = try read().set.digest, file = try onlyFile()
    var bytes = try Data(contentsOf: file)
    let whole = bytes
    switch damage {
    case "cut": bytes.removeLast(7)
    case "empty": bytes = Data()
    case "header": bytes.replaceSubrange(0..<40, with: Data(repeating: 0xff, count: 40))
    case "pixel": bytes[CachedImages.headerSize + 100] ^= 1
    case "longer": bytes.append(0)
    case "version": bytes = Data(bytes.replacing(Data("\"version\":1".utf8), with: Data("\"version\":2".utf8)))
    case "shape":
      bytes = Data(bytes.replacing(Data("[6,13,17,3]".utf8), with: Data("[6,17,13,3]".utf8)))
    default:
      try FileManager.default.removeItem(at: file)
      try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
    }
    if damage != "folder" { try bytes.write(to: file) }
    let again = try read()
    #expect(again.decoded == 6 && again.set.digest == digest)
    guard damage != "folder" else { return #expect(again.warning?.hasSuffix("Is a directory)") == true) }
    #expect(try read().decoded == 0)
    #expect(try Data(contentsOf: file) == whole)
  }

  @Test func manyAtOnce() throws {
    let folder = images, cache = cache
    let results = Results()
    DispatchQueue.concurrentPerform(iterations: 8) { _ in
      guard let content = try? ImageFolder(folder).read(.init(), cache: cache) else { return }
      results.add(content.set.digest, content.warning)
    }
    let expected = Array(repeating: try read().set.digest, count: 8)
    #expect(results.digests == expected && results.warnings.isEmpty)
    #expect(try read().decoded == 0 && files().count == 1)
  }

  /// Root may write to any folder; nobody may make one inside of a file.
  @Test func aFolderThatCanNotBeWrittenTo() throws {
    let file = place + "/file"
    try Data().write(to: URL(filePath: file))
    let content = try read(.init(), ImageCache(folder: file + "/cache"))
    #expect(try content.decoded == 6 && content.set.digest == read().set.digest)
    #expect(
      content.warning == """
        the decoded images can't be kept for the next run (\(file)/cache: Not a directory)
        """)
    let data = try DataRegistry.open(images, folder: .init(test: 0.5), cache: ImageCache(folder: file + "/cache"))
    #expect(data.warnings.first?.hasPrefix("images: the decoded images can't be kept") == true)
    guard geteuid() != 0 else { return }
    try FileManager.default.createDirectory(atPath: place + "/closed", withIntermediateDirectories: false)
    chmod(place + "/closed", 0o500)
    let closed = try read(.init(), ImageCache(folder: place + "/closed"))
    #expect(closed.warning?.hasSuffix("Permission denied)") == true)
  }

  @Test func aDamagedPictureLeavesNothingBehind() throws {
    try Data("GIF89a".utf8).write(to: URL(filePath: images + "/b/2.png"))
    #expect(throws: Fault.self) { try self.read() }
    #expect(files().isEmpty)
  }

  @Test func whatWasNotUsedForLongestGoes() throws {
    let small = ImageCache(folder: cache.folder, limit: 2 * (4096 + 6 * 13 * 17 * 3))
    _ = try read(.init(), small)
    let used = try onlyFile().path
    _ = try read(.init(size: [12, 12]), small)
    for file in files().map({ cache.folder + "/" + $0 }) {
      let age = file == used ? 200.0 : 100
      try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: file)
    }
    _ = try read(.init(), small)
    _ = try read(.init(size: [10, 10]), small)
    #expect(files().count == 2)
    #expect(try read(.init(), small).decoded == 0)
    #expect(try read(.init(size: [10, 10]), small).decoded == 0)
    #expect(try read(.init(size: [12, 12]), ImageCache(folder: cache.folder, limit: 1)).decoded == 6)
    #expect(files().count == 1)
  }

  @Test func whatKilledRunsLeftGoes() throws {
    _ = try read()
    for (name, age) in [(".old.partial", 90_000.0), (".new.partial", 60)] {
      let path = cache.folder + "/" + name
      try Data([1]).write(to: URL(filePath: path))
      try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: path)
    }
    _ = try read(.init(channels: 1))
    #expect(files().filter { $0.hasSuffix(".partial") } == [".new.partial"])
  }

  @Test func theUsersFolder() {
    #expect(ImageCache.standardFolder(["XDG_CACHE_HOME": "/c", "HOME": "/h"]) == "/c/nasrun/images")
    #expect(ImageCache.standardFolder(["XDG_CACHE_HOME": "c", "HOME": "/h"]) == "/h/.cache/nasrun/images")
    #expect(ImageCache.standardFolder(["HOME": ""]) == nil)
  }
}

/// What several readers came to.
private final class Results: @unchecked Sendable {
  private let lock = NSLock()
  private(set) var digests: [String] = [], warnings: [String] = []

  func add(_ digest: String, _ warning: String?) {
    lock.withLock {
      digests.append(digest)
      warnings += [warning].compactMap { $0 }
    }
  }
}
