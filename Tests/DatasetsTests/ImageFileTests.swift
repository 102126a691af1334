import Canonical
import Diagnostics
import Foundation
import Testing

@testable import Datasets

/// Pictures that Pillow wrote, and the bytes that Pillow reads from them.
private enum References {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "References").path(percentEncoded: false)

  static func cases() throws -> [JSONValue] {
    let data = try Data(contentsOf: URL(filePath: folder + "/images.json"))
    return try JSONValue(parsing: data, source: "images.json")["cases"]?.array ?? []
  }

  static func bytes(_ hexadecimal: JSONValue?) -> [UInt8] {
    let digits = Array((hexadecimal?.string ?? "").utf8)
    return stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
    }
  }
}

@Suite final class ImageFileTests {
  private let folder = NSTemporaryDirectory() + "images-" + UUID().uuidString

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  @Test func readsWhatPillowReads() throws {
    for reference in try References.cases() {
      let name = try #require(reference["file"]?.string)
      let picture = try ImageDecoder.rgb(References.folder + "/images/" + name)
      #expect(picture.height == 13 && picture.width == 17, "\(name)")
      #expect(picture.pixels == References.bytes(reference["pixels"]), "\(name)")
    }
  }

  @Test func scalesAsPillow() throws {
    let reference = try #require(try References.cases().first { $0["file"] == "colour.png" })
    let picture = try ImageDecoder.rgb(References.folder + "/images/colour.png")
    for fitted in reference["fitted"]?.array ?? [] {
      let size = (fitted["size"]?.array ?? []).compactMap(\.int)
      let result = picture.fitted(height: size[0], width: size[1])
      #expect(result.height == size[0] && result.width == size[1] && result.channels == 3)
      #expect(result.pixels == References.bytes(fitted["pixels"]), "\(size)")
    }
  }

  @Test func greyIsTheLuma() {
    // 0.299 · 200 + 0.587 · 100 + 0.114 · 50 = 124.2
    #expect(Picture(height: 1, width: 1, channels: 3, pixels: [200, 100, 50]).grey().pixels == [124])
  }

  private func place(_ name: String, at path: String) throws {
    let target = URL(filePath: folder + "/" + path)
    try FileManager.default.createDirectory(at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
    try FileManager.default.copyItem(at: URL(filePath: References.folder + "/images/" + name), to: target)
  }

  private func fault(_ options: FolderOptions = .init(), _ more: Dataset.Options = .init()) -> String? {
    let fault = #expect(throws: Fault.self) { try DataRegistry.open(folder, options: more, folder: options) }
    return fault?.description.replacing(folder, with: "DIR")
  }

  private func placeParts() throws {
    for (part, count) in [("train", 3), ("valid", 2), ("test", 1)] {
      for (name, kind) in [("cat", "png"), ("dog", "jpg")] {
        for number in 0..<count { try place("colour." + kind, at: "\(part)/\(name)/\(number).\(kind)") }
      }
    }
  }

  @Test func aFolderWithParts() throws {
    try placeParts()
    let data = try DataRegistry.open(folder, folder: .init(size: [8, 8]))
    #expect([data.train.count, data.valid?.count, data.test.count] == [6, 4, 2])
    #expect(data.imageShape == [8, 8, 3] && data.classNames == ["cat", "dog"])
    #expect(data.train.classCounts == [3, 3] && data.valid?.classCounts == [2, 2] && data.test.classCounts == [1, 1])
    #expect(data.joined().train.count == 10)
    let reference = try #require(try References.cases().first { $0["file"] == "colour.png" })
    #expect(Array(data.train.set.pixels.prefix(192)) == References.bytes(reference["fitted"]?.array?[0]["pixels"]))
    #expect(try DataRegistry.open(folder, folder: .init(channels: 1)).imageShape == [13, 17, 1])
    #expect(
      fault(.init(test: 0.5)) == "\(name): the folder has a part 'test' of its own: expected no option 'test'. "
        + "Leave the option out, or move the folder away.")
    #expect(
      fault(.init(), .init(valid: .count(2)))
        == "\(name): the folder has a part 'valid' of its own: expected no option 'valid'. "
        + "Leave the option out, or move the folder away.")
  }

  private var name: String { URL(filePath: folder).lastPathComponent }

  @Test func aFolderOfClassesIsSplit() throws {
    for number in 0..<10 {
      try place("grey.png", at: "a/\(number).png")
      try place("colour.png", at: "b/\(number).png")
    }
    let data = try DataRegistry.open(folder, options: .init(valid: .count(4)), folder: .init(test: 0.3))
    #expect([data.train.count, data.valid?.count, data.test.count] == [10, 4, 6])
    #expect(data.test.classCounts == [3, 3] && data.train.classCounts == [5, 5])
    #expect(Set(data.train.indices + (data.valid?.indices ?? []) + data.test.indices).count == 20)
  }

  @Test func damageIsNamed() throws {
    try placeParts()
    let jpeg = URL(filePath: folder + "/train/dog/1.jpg"), whole = try Data(contentsOf: jpeg)
    try whole.prefix(whole.count - 60).write(to: jpeg)
    #expect(
      fault() == """
        DIR/train/dog/1.jpg: the JPEG file is damaged (Premature end of JPEG file). Remove the file, or fetch it again.
        """)
    try whole.prefix(100).write(to: jpeg)
    #expect(
      fault() == """
        DIR/train/dog/1.jpg: the JPEG file is damaged (it ends before the size of the image). Remove the file, or fetch \
        it again.
        """)
    try whole.write(to: jpeg)
    let png = URL(filePath: folder + "/test/cat/0.png"), bytes = try Data(contentsOf: png)
    try bytes.prefix(200).write(to: png)
    #expect(
      fault() == """
        DIR/test/cat/0.png: the PNG file is damaged (read beyond end of data). Remove the file, or fetch it again.
        """)
    try Data("GIF89a".utf8).write(to: png)
    #expect(
      fault() == """
        DIR/test/cat/0.png: not a JPEG or PNG file: expected ff d8 or 89 50 4e 47 at the start, got 47 49 46 38
        """)
  }

  @Test func wrongFoldersAndOptions() throws {
    for name in ["ant", "bee"] { try place("colour.png", at: "train/\(name)/0.png") }
    try place("colour.png", at: "test/bees/0.png")
    #expect(
      fault() == """
        DIR/test: a class that the training part doesn't have: expected ant, bee, got bees. Did you mean 'bee'?
        """)
    #expect(
      fault(.init(labels: .fine))
        == "a folder of images has no option 'labels': expected size, channels, test, got labels")
    try FileManager.default.removeItem(atPath: folder + "/test")
    try place("colour.png", at: "test/bee/0.png")
    #expect(
      fault(.init(size: [8])) == "wrong size of images: expected { height, width } of 1…4096 pixels, got { 8 }")
    #expect(fault(.init(channels: 2)) == "wrong channels of images: expected 1 (grey) or 3 (RGB), got 2")
  }

  @Test func foldersWithoutImages() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let known = """
      no data that nasrun can read: expected a folder of IDX files, of CIFAR files or of a folder of JPEG or PNG files \
      for each class, or a table whose name ends in .csv
      """
    #expect(fault() == "DIR: \(known), got an empty folder")
    try place("colour.png", at: "loose.png")
    #expect(fault() == "DIR: \(known), got files such as loose.png")
    let file = #expect(throws: Fault.self) { try DataRegistry.open(folder + "/loose.png") }
    #expect(file?.description.replacing(folder, with: "DIR") == "DIR/loose.png: \(known), got a file")
    try place("colour.png", at: "cat/0.png")
    #expect(
      fault() == """
        DIR: images of one class only: expected a folder for each of at least two classes, got the folder 'cat'
        """)
    try FileManager.default.createDirectory(atPath: folder + "/dog", withIntermediateDirectories: true)
    #expect(fault() == "DIR/dog: a class without images: expected JPEG or PNG files, got an empty folder")
    try FileManager.default.createDirectory(atPath: folder + "/dog/more", withIntermediateDirectories: true)
    #expect(
      fault() == """
        DIR/dog/more: a folder within the folder of a class: expected JPEG or PNG files. Name the folder that has a \
        folder for each class, or one with train/ and test/ of such.
        """)
    try FileManager.default.moveItem(atPath: folder + "/dog/more", toPath: folder + "/train")
    #expect(
      fault() == """
        DIR/train: images of one class only: expected a folder for each of at least two classes, got no folder
        """)
  }

  @Test func mixedSizes() throws {
    try place("colour.png", at: "a/0.png")
    try place("colour.png", at: "b/0.png")
    let other = folder + "/b/1.png"
    try Data(ImageFileTests.onePixel).write(to: URL(filePath: other))
    #expect(
      fault() == """
        DIR/b/1.png: size of the image: expected 13×17 as DIR/a/0.png, got 1×1. Give one size: { size = { 32, 32 } }.
        """)
    #expect(try DataRegistry.open(folder, folder: .init(size: [4, 4], test: 0.4)).imageShape == [4, 4, 3])
  }

  /// A grey PNG file of one pixel (PNG specification, 11.2), with the checksums that zlib gives.
  private static let onePixel: [UInt8] = [
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0, 1, 0, 0, 0, 1, 8, 0,
    0, 0, 0, 0x3a, 0x7e, 0x9b, 0x55, 0, 0, 0, 10, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xa8, 0x07, 0x00, 0x00,
    0x81, 0x00, 0x80, 0xd3, 0x94, 0x53, 0x4a, 0, 0, 0, 0,
    0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
  ]
}
