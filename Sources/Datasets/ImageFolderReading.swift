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
  }

  /// Decodes all files into one set: training part, validation part, test part.
  ///
  /// - Throws: a `data` fault that names the first file that is damaged or, without the option `size`, of another size
  ///   than the first one; a `recipe` fault for options out of range.
  func read(_ options: FolderOptions) throws -> Content {
    try Self.check(options)
    let items = train + (valid ?? []) + (test ?? [])
    let first = try Self.picture(items[0], options)
    var pixels: [UInt8] = []
    pixels.reserveCapacity(items.count * first.pixels.count)
    for item in items {
      let picture = try Self.picture(item, options)
      guard (picture.height, picture.width) == (first.height, first.width) else {
        throw Fault(
          .data, "size of the image", at: item.path, expected: "\(first.height)×\(first.width) as \(items[0].path)",
          got: "\(picture.height)×\(picture.width)", hint: "Give one size: { size = { 32, 32 } }.")
      }
      pixels += picture.pixels
    }
    let set = try ImageSet(
      name: URL(fileURLWithPath: path).lastPathComponent, height: first.height, width: first.width,
      channels: first.channels, pixels: pixels, labels: items.map(\.label), classNames: classNames)
    return content(set)
  }

  /// Which images of the set are for what.
  private func content(_ set: ImageSet) -> Content {
    let counts = [train.count, valid?.count ?? 0, test?.count ?? 0].map(Int32.init)
    let afterValid = counts[0] + counts[1]
    return Content(
      set: set, train: Array(0..<counts[0]), valid: valid.map { _ in Array(counts[0]..<afterValid) },
      test: test.map { _ in Array(afterValid..<afterValid + counts[2]) })
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
