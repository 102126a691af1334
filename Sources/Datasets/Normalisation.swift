/// Per-channel mean and standard deviation of intensities scaled to 0…1: what makes a network's input
/// `(pixel / 255 - mean) / deviation`.
///
/// Measured on the training part alone, so that nothing of the images that judge a network reaches it.
public struct Normalisation: Sendable, Equatable {
  /// One value per channel, in 0…1.
  public let mean: [Double]
  /// One positive value per channel: the population's standard deviation, or 1 for a channel that is constant (its
  /// input is then 0 everywhere).
  public let deviation: [Double]

  /// Of the targets of a regression; nil for classes.
  public let target: TargetScale?

  /// The identity: what images get that no data were measured for.
  public init(identityFor channels: Int) {
    mean = [Double](repeating: 0, count: channels)
    deviation = [Double](repeating: 1, count: channels)
    target = nil
  }

  /// Measures the images of a selection; sums are exact integers. Of a table, columns of numbers are measured in double
  /// precision, row by row, without missing values; columns of 0 and 1 stay as they are.
  public init(measuring selection: ImageSelection) {
    let set = selection.set
    if let table = set.table {
      (mean, deviation, target) = Self.measure(table, selection.indices)
      return
    }
    target = nil
    var sums = [UInt64](repeating: 0, count: set.channels), squares = sums
    set.withPixels { pixels in
      for index in selection.indices {
        let image = UnsafeBufferPointer(rebasing: pixels[Int(index) * set.imageSize..<(Int(index) + 1) * set.imageSize])
        for channel in 0..<set.channels {
          let (sum, square) = Self.sums(of: image, from: channel, by: set.channels)
          sums[channel] += sum
          squares[channel] += square
        }
      }
    }
    let count = selection.count * set.height * set.width
    mean = sums.map { Double($0) / (255 * Double(count)) }
    deviation = zip(sums, squares).map { sum, square in
      let spread = UInt128(count) * UInt128(square) - UInt128(sum) * UInt128(sum)
      return spread == 0 ? 1 : Double(spread).squareRoot() / (255 * Double(count))
    }
  }

  /// The sum of every `step`th value and that of their squares.
  private static func sums(of values: UnsafeBufferPointer<UInt8>, from start: Int, by step: Int) -> (UInt64, UInt64) {
    var sum: UInt64 = 0, squares: UInt64 = 0, offset = start
    while offset < values.count {
      let value = UInt64(values[offset])
      sum &+= value
      squares &+= value &* value
      offset &+= step
    }
    return (sum, squares)
  }

  /// The network's input for each intensity: `table[intensity * channels + channel]`.
  var table: [Float] {
    (0..<256).flatMap { value in
      zip(mean, deviation).map { Float((Double(value) / 255 - $0) / $1) }
    }
  }
}
