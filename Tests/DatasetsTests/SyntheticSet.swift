import Datasets

extension ImageSet {
  /// A set of 2×3 RGB images whose pixel values are all different within an image; `labels` as given.
  static func counting(labels: [Int32], classes: Int) throws -> ImageSet {
    try ImageSet(
      name: "counting", height: 2, width: 3, channels: 3,
      pixels: (0..<labels.count * 18).map { UInt8($0 * 7 % 256) }, labels: labels,
      classNames: (0..<classes).map { "c\($0)" })
  }

  /// Classes in turn, class `c` with `counts[c]` images.
  static func counting(counts: [Int]) throws -> ImageSet {
    let labels = counts.enumerated().flatMap { [Int32](repeating: Int32($0), count: $1) }
    return try counting(labels: labels, classes: counts.count)
  }
}
