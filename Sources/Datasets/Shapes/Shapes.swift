import Diagnostics
import TensorCore

/// The built-in set "shapes": ten outlines, filled or stroked, tilted, in any place and size and any light colour, on a
/// dark background with shading, stripes, clutter and noise.
///
/// Nothing but the outline tells the class. Classes are equally frequent; image `i` depends on the seed and on `i`
/// alone, so a larger set begins with the smaller one.
public enum Shapes {
  /// How many images of what size are drawn.
  public struct Options: Sendable, Equatable {
    /// Height and width in pixels, 12…128.
    public var size: Int
    /// Training images.
    public var train: Int
    /// Test images.
    public var test: Int
    /// Another seed, other images of the same kind.
    public var seed: UInt64

    public init(size: Int = 16, train: Int = 4000, test: Int = 1000, seed: UInt64 = 0) {
      self.size = size
      self.train = train
      self.test = test
      self.seed = seed
    }
  }

  /// The classes in the order of their labels.
  public static let classNames = Outline.allCases.map(\.name)

  /// Draws the training and the test images `[N, size, size, 3]`.
  ///
  /// - Throws: a `recipe` fault for options out of range.
  public static func draw(_ options: Options = .init()) throws -> (train: ImageSet, test: ImageSet) {
    guard 12...128 ~= options.size else {
      throw Fault(.recipe, "size of the images of 'shapes'", expected: "12…128 pixels", got: "\(options.size)")
    }
    for (part, count) in [("training", options.train), ("test", options.test)] where count < 1 {
      throw Fault(.recipe, "number of \(part) images of 'shapes'", expected: "at least 1", got: "\(count)")
    }
    return (
      try part("train", count: options.train, options), try part("test", count: options.test, options)
    )
  }

  private static func part(_ part: String, count: Int, _ options: Options) throws -> ImageSet {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(count * options.size * options.size * 3)
    let labels = (0..<count).map { $0 % Outline.allCases.count }
    for (index, label) in labels.enumerated() {
      let stream = RandomStream(seed: options.seed, name: "shapes/\(part)/\(index)")
      var scene = Scene(size: options.size, stream: stream)
      scene.draw(Outline.allCases[label])
      scene.appendBytes(to: &pixels)
    }
    return try ImageSet(
      name: "shapes/\(part)", height: options.size, width: options.size, channels: 3, pixels: pixels,
      labels: labels.map(Int32.init), classNames: classNames)
  }
}
