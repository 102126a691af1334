/// Makes a network's input of an image's bytes, by a table: what a program that serves the network does first.
public struct PixelNormaliser: Sendable {
  private let table: [Float]
  private let channels: Int

  public init(_ normalisation: Normalisation) {
    table = normalisation.table
    channels = normalisation.mean.count
  }

  /// input = the normalised bytes of images `[n, H, W, C]`.
  public func write(_ pixels: UnsafeBufferPointer<UInt8>, to input: UnsafeMutablePointer<Float>) {
    table.withUnsafeBufferPointer { table in
      var index = 0
      while index < pixels.count {
        for channel in 0..<channels {
          input[index + channel] = table[Int(pixels[index + channel]) * channels + channel]
        }
        index += channels
      }
    }
  }
}
