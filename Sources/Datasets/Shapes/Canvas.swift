import TensorCore

/// A square RGB picture with intensities 0…1 that things are painted on; lengths are in pixels.
struct Canvas {
  typealias Colour = SIMD3<Double>

  let size: Int
  private var pixels: [Colour]

  init(size: Int) {
    self.size = size
    pixels = [Colour](repeating: .zero, count: size * size)
  }

  /// Sets each pixel from the place of its centre, (0, 0) being the middle of the picture.
  mutating func paint(_ colour: (_ x: Double, _ y: Double) -> Colour) {
    let middle = Double(size - 1) / 2
    for y in 0..<size {
      for x in 0..<size { pixels[y * size + x] = colour(Double(x) - middle, Double(y) - middle) }
    }
  }

  /// Blends a colour in where the signed distance is negative; the border is smooth over one pixel.
  mutating func blend(_ colour: Colour, opacity: Double = 1, where distance: (_ x: Double, _ y: Double) -> Double) {
    let middle = Double(size - 1) / 2
    for y in 0..<size {
      for x in 0..<size {
        let cover = opacity * min(1, max(0, 0.5 - distance(Double(x) - middle, Double(y) - middle)))
        if cover > 0 { pixels[y * size + x] += cover * (colour - pixels[y * size + x]) }
      }
    }
  }

  /// Appends the picture as bytes `[H, W, 3]`, with noise of a nearly normal distribution: each value gets the sum of
  /// four uniform numbers, scaled to the standard deviation `noise`.
  func appendBytes(to bytes: inout [UInt8], noise: Double, from stream: inout RandomStream) {
    // The sum of four uniform integers in 0…65535 has this standard deviation: 2 · sqrt((65536² - 1) / 12).
    let scale = noise / 37837.2
    for pixel in pixels {
      for channel in 0..<3 {
        let word = stream.next()
        let sum = (word & 0xffff) + (word >> 16 & 0xffff) + (word >> 32 & 0xffff) + word >> 48
        let value = pixel[channel] + scale * (Double(sum) - 131070)
        bytes.append(UInt8(min(255, max(0, value * 255 + 0.5))))
      }
    }
  }
}

extension RandomStream {
  /// A direction: a unit vector, without trigonometry.
  mutating func direction() -> (x: Double, y: Double) {
    while true {
      let x = uniform(in: -1...1), y = uniform(in: -1...1), square = x * x + y * y
      if square > 0.01, square <= 1 { return (x / square.squareRoot(), y / square.squareRoot()) }
    }
  }

  mutating func colour() -> Canvas.Colour {
    Canvas.Colour(uniform(), uniform(), uniform())
  }
}
