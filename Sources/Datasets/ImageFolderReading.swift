import Canonical
import Diagnostics
import Foundation
import TensorCore

extension ImageFolder {
  /// The images of a folder in one set, and which of them are for what.
  struct Content {
    let set: ImageSet
    let train: [Int32]
    let valid: [Int32]?
    /// Nil: to be split off.
    let test: [Int32]?
    /// What the user should know, as a sentence without a full stop.
    var warning: String?
    /// How many pictures were decoded: all, or none where the cache had them.
    var decoded = 0
  }

  /// All files: training part, validation part, test part.
  private var items: [Item] { train + (valid ?? []) + (test ?? []) }

  /// Reads all files into one set, from the cache where it has them; else they are decoded, and kept there. A cache
  /// that can't be written to is a warning.
  ///
  /// - Throws: a `data` fault that names the first file that is damaged or, without the option `size`, of another size
  ///   than the first one; a `recipe` fault for options out of range.
  func read(_ options: FolderOptions, cache: ImageCache? = nil) throws -> Content {
    try Self.check(options)
    guard let cache else { return try readDirectly(options) }
    let key = cacheKey(options)
    if let file = cache.open(key), let set = try? set(file.shape, file.pixels), set.digest == file.digest {
      return content(set, decoded: 0)
    }
    do {
      return try readInto(cache, key, options)
    } catch let failure as ImageCache.Failure {
      var content = try readDirectly(options)
      content.warning = "the decoded images can't be kept for the next run (\(failure.reason))"
      return content
    }
  }

  /// Decodes all files into memory.
  private func readDirectly(_ options: FolderOptions) throws -> Content {
    var pixels: [UInt8] = []
    let shape = try decode(options) {
      pixels.reserveCapacity($0.reduce(1, *))
    } store: {
      pixels += $0
    }
    return content(try set(shape, PixelStorage(pixels)), decoded: items.count)
  }

  /// Decodes all files into a file of the cache, and maps it.
  private func readInto(_ cache: ImageCache, _ key: String, _ options: FolderOptions) throws -> Content {
    let file = try cache.create(key), start = CachedImages.headerSize
    let shape = try decode(options) { shape in
      try file.reserve(start + shape.reduce(1, *), from: start)
    } store: {
      try file.append($0)
    }
    guard let mapping = file.mapped() else { throw ImageCache.Failure(cache.folder) }
    let set = try set(shape, PixelStorage(mapping, start..<mapping.bytes.count))
    // A file that changed meanwhile may be in the set as it was before or after.
    if cacheKey(options) == key {
      try file.finish(header: CachedImages.header(key: key, shape: shape, digest: set.digest))
      cache.clean(keeping: key)
    }
    return content(set, decoded: items.count)
  }

  /// Decodes file after file. `begin` is told the shape `[N, H, W, C]` of what will be passed to `store`.
  private func decode(
    _ options: FolderOptions, begin: ([Int]) throws -> Void, store: ([UInt8]) throws -> Void
  ) throws -> [Int] {
    let items = items, first = try Self.picture(items[0], options)
    let shape = [items.count, first.height, first.width, first.channels]
    try begin(shape)
    try store(first.pixels)
    for item in items.dropFirst() {
      let picture = try Self.picture(item, options)
      guard (picture.height, picture.width) == (first.height, first.width) else {
        throw Fault(
          .data, "size of the image", at: item.path, expected: "\(first.height)×\(first.width) as \(items[0].path)",
          got: "\(picture.height)×\(picture.width)", hint: "Give one size: { size = { 32, 32 } }.")
      }
      try store(picture.pixels)
    }
    return shape
  }

  private func set(_ shape: [Int], _ pixels: PixelStorage) throws -> ImageSet {
    try ImageSet(
      name: URL(fileURLWithPath: path).lastPathComponent, height: shape[1], width: shape[2], channels: shape[3],
      storage: pixels, labels: items.map(\.label), classNames: classNames)
  }

  /// What decides the pixels: the format's version, the options, and each file with its size and times.
  private func cacheKey(_ options: FolderOptions) -> String {
    let digest = ContentDigest(), items = items
    digest.update("nasrun images")
    let size = options.size ?? [0, 0]
    for number in [CachedImages.version, size[0], size[1], options.channels ?? 3, items.count] {
      digest.update(UInt64(number))
    }
    for item in items {
      let status = FileStatus(item.path)
      digest.update(item.path)
      for number in [status?.size, status?.modified, status?.changed] {
        digest.update(UInt64(bitPattern: Int64(number ?? -1)))
      }
    }
    return digest.finish()
  }

  /// Which images of the set are for what.
  private func content(_ set: ImageSet, decoded: Int) -> Content {
    let counts = [train.count, valid?.count ?? 0, test?.count ?? 0].map(Int32.init)
    let afterValid = counts[0] + counts[1]
    return Content(
      set: set, train: Array(0..<counts[0]), valid: valid.map { _ in Array(counts[0]..<afterValid) },
      test: test.map { _ in Array(afterValid..<afterValid + counts[2]) }, decoded: decoded)
  }

  private static func picture(_ item: Item, _ options: FolderOptions) throws -> Picture {
    var picture = try ImageDecoder.rgb(item.path)
    if let size = options.size { picture = picture.fitted(height: size[0], width: size[1]) }
    return options.channels == 1 ? picture.grey() : picture
  }

  private static func check(_ options: FolderOptions) throws {
    if let size = options.size, size.count != 2 || !size.allSatisfy({ 1...IDX.largestSide ~= $0 }) {
      throw Fault(
        .recipe, "wrong size of images", expected: "{ height, width } of 1…\(IDX.largestSide) pixels",
        got: "{ \(size.map(String.init).joined(separator: ", ")) }")
    }
    if let channels = options.channels, channels != 1, channels != 3 {
      throw Fault(.recipe, "wrong channels of images", expected: "1 (grey) or 3 (RGB)", got: "\(channels)")
    }
  }
}
