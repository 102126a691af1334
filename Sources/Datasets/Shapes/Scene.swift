import TensorCore

/// One picture being drawn.
///
/// The constants make the set as hard as it is meant to be for networks of NAS-Bench-201 with 8 channels and one cell
/// per stage (4000 images of 16×16 with random flips, SGD at 0.05, batch 64): after 3 epochs a cell of skips has 32 %
/// right, one of 1×1 convolutions 58 %, one of 3×3 convolutions 80 %; a linear model stays at 20 %.
struct Scene {
  /// Standard deviation of the noise of each value.
  private static let noise = 0.12
  /// The shape's radius, in parts of the picture's side.
  private static let radius = 0.27...0.42

  private var canvas: Canvas
  private var stream: RandomStream

  init(size: Int, stream: RandomStream) {
    canvas = Canvas(size: size)
    self.stream = stream
  }

  /// Draws a dark background, clutter, the shape in a light colour, and a little clutter over it.
  mutating func draw(_ outline: Outline) {
    drawBackground()
    for _ in 0..<(2 + stream.uniform(below: 3)) { drawStroke() }
    drawShape(outline)
    if stream.uniform(below: 2) == 0 { drawStroke() }
  }

  /// Appends the picture with its noise, as bytes `[H, W, 3]`.
  mutating func appendBytes(to bytes: inout [UInt8]) {
    canvas.appendBytes(to: &bytes, noise: Self.noise, from: &stream)
  }

  /// A colour that changes along one direction, with triangular waves along another.
  private mutating func drawBackground() {
    let colour = 0.5 * stream.colour()
    let slope = stream.direction(), tint = 0.5 * (stream.colour() - stream.colour()) / Double(canvas.size)
    let across = stream.direction(), frequency = 1 / stream.uniform(in: 3...9), phase = stream.uniform()
    let stripes = 0.4 * (stream.colour() - stream.colour())
    canvas.paint { x, y in
      let place = (x * across.x + y * across.y) * frequency + phase
      let wave = abs(2 * (place - place.rounded(.down)) - 1) - 0.5
      return colour + (x * slope.x + y * slope.y) * tint + wave * stripes
    }
  }

  /// A short, thin line of any colour.
  private mutating func drawStroke() {
    let side = Double(canvas.size), colour = stream.colour(), direction = stream.direction()
    let x0 = stream.uniform(in: -0.5...0.5) * side, y0 = stream.uniform(in: -0.5...0.5) * side
    let length = stream.uniform(in: 0.1...0.5) * side, halfWidth = stream.uniform(in: 0.3...0.8)
    canvas.blend(colour) { x, y in
      let px = x - x0, py = y - y0
      let along = min(length, max(0, px * direction.x + py * direction.y))
      let offX = px - along * direction.x, offY = py - along * direction.y
      return (offX * offX + offY * offY).squareRoot() - halfWidth
    }
  }

  /// A rotation by at most 35°.
  private mutating func tilt() -> (x: Double, y: Double) {
    let slope = stream.uniform(in: -0.7...0.7), length = (1 + slope * slope).squareRoot()
    return (1 / length, slope / length)
  }

  private mutating func drawShape(_ outline: Outline) {
    let side = Double(canvas.size), radius = stream.uniform(in: Self.radius) * side
    let room = max(0, 0.5 * side - 0.85 * radius)
    let x0 = stream.uniform(in: -1...1) * room, y0 = stream.uniform(in: -1...1) * room
    let turn = tilt(), colour = 1 - 0.5 * stream.colour()
    let distance = { (x: Double, y: Double) in
      let px = (x - x0) / radius, py = (y - y0) / radius
      return radius * outline.distance(px * turn.x + py * turn.y, py * turn.x - px * turn.y)
    }
    switch stream.uniform(below: 3) {
    case 0: canvas.blend(colour, where: distance)
    case 1: canvas.blend(colour) { x, y in abs(distance(x, y)) - 0.7 }
    default:
      canvas.blend(stream.colour(), opacity: 0.7, where: distance)
      canvas.blend(colour) { x, y in abs(distance(x, y)) - 0.6 }
    }
  }
}
