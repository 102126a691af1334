/// The channels of a pixel in a plan's buffer: `channels` rounded up to whole vectors of 16. The lanes past the last
/// channel are zero after every operation.
public func paddedChannels(_ channels: Int) -> Int { (channels + 15) / 16 * 16 }

/// The shape of a batch of images, `[n, h, w, c]` in channel-padded NHWC layout: neighbouring pixels are
/// `paddedChannels(c)` floats apart. A rank-2 value `[n, c]` has `h = w = 1`.
public struct ImageShape: Hashable, Sendable {
  /// Images, height, width and logical channels.
  public var n: Int, h: Int, w: Int, c: Int

  public init(n: Int, h: Int, w: Int, c: Int) {
    self.n = n
    self.h = h
    self.w = w
    self.c = c
  }

  /// Floats from a pixel to the next.
  public var pixelStride: Int { paddedChannels(c) }
  /// The channels of a pixel with their padding lanes.
  var lanes: Range<Int> { 0..<pixelStride }
  /// Pixels of all images: the rows of a matrix of channels.
  public var rows: Int { n * h * w }
  /// Floats in a buffer of this shape, padding lanes included.
  public var floats: Int { rows * pixelStride }
}

/// A pair of sizes, steps or positions in an image.
public struct Extent: Hashable, Sendable {
  /// Along the columns (y) and along the rows (x).
  public var height: Int, width: Int

  public init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }

  /// The same along both axes.
  public init(_ both: Int) { self.init(height: both, width: both) }
}
