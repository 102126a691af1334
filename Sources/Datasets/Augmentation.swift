import Canonical
import TensorCore

/// Random changes of training images: flip, then shifted crop, then cutout.
public struct Augmentation: Sendable, Equatable {
  /// Mirror left and right with probability 1/2.
  public var flip: Bool
  /// Pad by this many black pixels on every side and cut the original size out at a random place; 0: never.
  public var crop: Int
  /// Side of a square around a random pixel that is set to the mean intensity, clipped at the border (DeVries & Taylor
  /// 2017, "Improved regularization of convolutional neural networks with cutout"); 0: never.
  public var cutout: Int

  public init(flip: Bool = false, crop: Int = 0, cutout: Int = 0) {
    self.flip = flip
    self.crop = crop
    self.cutout = cutout
  }

  /// Images as they are.
  public static let none = Augmentation()

  /// The options as they enter keys and records.
  public var json: JSONValue { ["flip": .bool(flip), "crop": .int(crop), "cutout": .int(cutout)] }

  /// What is drawn for one image. Only what is switched on draws numbers.
  func draw(height: Int, width: Int, from stream: inout RandomStream) -> Placement {
    var placement = Placement()
    if flip { placement.mirrored = stream.next() & 1 == 1 }
    if crop > 0 {
      placement.top = stream.uniform(below: 2 * crop + 1) - crop
      placement.left = stream.uniform(below: 2 * crop + 1) - crop
    }
    if cutout > 0 {
      let y = stream.uniform(below: height) - cutout / 2, x = stream.uniform(below: width) - cutout / 2
      placement.hole = (max(0, y)..<min(height, y + cutout), max(0, x)..<min(width, x + cutout))
    }
    return placement
  }

  /// Where one image's pixels come from.
  struct Placement {
    var mirrored = false
    /// Where the crop begins in the original, from `-crop` to `crop`.
    var top = 0
    var left = 0
    var hole = (rows: 0..<0, columns: 0..<0)
  }
}
