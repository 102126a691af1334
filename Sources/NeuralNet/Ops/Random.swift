import Canonical
import Diagnostics
import TensorCore

// Random numbers that are a hash of the node's key, the step and the element's index: the same whatever the threads and
// the steps before. They have no gradient.

extension Op {
  /// Uniform in `[low, high)`, in the shape of the input.
  static let randomUniform: Op = noise(
    "random_uniform", "Uniform random numbers in the shape of x.",
    attributes: [
      AttributeSchema("low", .number(-1e30...1e30), standard: 0, "smallest value"),
      AttributeSchema("high", .number(-1e30...1e30), standard: 1, "largest value, not reached"),
    ],
    onnx: ONNXMapping("RandomUniformLike") { site in
      let low = site.attributes["low"] ?? 0, high = site.attributes["high"] ?? 1
      return site.plain(site.add("RandomUniformLike", [site.plain(0)], ["low": low, "high": high]))
    }
  ) { attributes in
    let low = attributes.number("low"), width = attributes.number("high") - low
    return { stream in low + width * stream.uniform() }
  }

  /// Normally distributed, in the shape of the input.
  static let randomNormal: Op = noise(
    "random_normal", "Normal random numbers in the shape of x.",
    attributes: [
      AttributeSchema("mean", .number(-1e30...1e30), standard: 0, "expectation"),
      AttributeSchema("deviation", .number(0...1e30), standard: 1, "standard deviation"),
    ],
    onnx: ONNXMapping("RandomNormalLike") { site in
      let mean = site.attributes["mean"] ?? 0, deviation = site.attributes["deviation"] ?? 1
      return site.plain(site.add("RandomNormalLike", [site.plain(0)], ["mean": mean, "scale": deviation]))
    }
  ) { attributes in
    let mean = attributes.number("mean"), deviation = attributes.number("deviation")
    return { stream in mean + deviation * stream.normal() }
  }

  /// Standard Gumbel noise `−log(−log u)`, in the shape of the input: added to logits, its argmax is a categorical draw
  /// (Gumbel 1954; Maddison et al. 2014).
  static let gumbelNoise: Op = noise(
    "gumbel_noise", "Gumbel noise in the shape of x.", attributes: [],
    onnx: ONNXMapping("RandomUniformLike") { site in site.plain(site.gumbelNoise()) }
  ) { _ in
    { $0.gumbel() }
  }

  /// One draw from the softmax of each row of logits, over the last axis: a whole number from 1.
  static let categorical: Op = Op(
    "categorical", "A draw from softmax(x) over the last axis, from 1.", paddingLanes: .cleared, isRepeatable: false,
    infer: { use in
      guard !use.input.shape.dimensions.isEmpty, let shape = Shape(symbolic: use.input.shape.symbolic.dropLast()) else {
        throw use.fault("wrong input shape", expected: "[…, C]", got: "\(use.input.shape)")
      }
      return [ValueType(shape)]
    },
    kernel: { site in
      let grid = Grid(site, site.inputs[0]), key = site.randomKey
      let draws = Grid(site, site.outputs[0]), count = site.elements(site.outputs[0])
      return Kernel { call in
        call.output(0).update(repeating: 0, count: count)
        for row in 0..<grid.rows {
          let logits = call.input(0) + row * grid.stride
          var best = 0, highest = -Double.infinity
          for channel in 0..<grid.channels {
            var stream = ElementStream(key: key, step: call.step, element: row * grid.channels + channel)
            let value = Double(logits[channel]) + stream.gumbel()
            guard value < .infinity else {
              throw noDraw(grid, row, "\(logits[channel].withUnsignedNaN) at position \(channel + 1)")
            }
            if value > highest { (best, highest) = (channel, value) }
          }
          guard highest > -.infinity else { throw noDraw(grid, row, "-inf alone") }
          call.output(0)[row / draws.channels * draws.stride + row % draws.channels] = Float(best + 1)
        }
      }
    },
    gradient: { _ in [nil] },
    onnx: ONNXMapping("ArgMax") { site in
      let noisy = site.add("Add", [site.plain(0), site.gumbelNoise()])
      return site.plain(site.fromPositions(site.add("ArgMax", [noisy], ["axis": -1, "keepdims": 0])))
    })

  /// Logits of which no softmax can be taken; of several rows the message names the row.
  private static func noDraw(_ grid: Grid, _ row: Int, _ got: String) -> Fault {
    Fault(
      .data, "no draw from such logits", expected: "numbers or -inf, at least one of them finite",
      got: got + (grid.rows > 1 ? " of row \(row + 1)" : ""))
  }

  private static func noise(
    _ name: String, _ documentation: String, attributes: [AttributeSchema],
    onnx: ONNXMapping,
    draw: @escaping @Sendable (Attributes) -> @Sendable (inout ElementStream) -> Double
  ) -> Op {
    Op(
      name, documentation, attributes: attributes, paddingLanes: .cleared, isRepeatable: false, infer: { [$0.input] },
      kernel: { site in
        let grid = Grid(site, site.outputs[0]), key = site.randomKey, draw = draw(site.attributes)
        return Kernel { call in
          let step = call.step
          grid.fill(call.output(0)) { row, channel, _ in
            var stream = ElementStream(key: key, step: step, element: row * grid.channels + channel)
            return Float(draw(&stream))
          }
        }
      },
      gradient: { _ in [nil] }, onnx: onnx)
  }
}

extension ONNXSite {
  /// Standard Gumbel noise in the shape of the first input. ONNX's generators may give the upper limit, which would be
  /// infinite noise.
  fileprivate func gumbelNoise() -> String {
    let limits: [String: JSONValue] = ["low": 1e-30, "high": .number(1 - 0x1p-23)]
    let uniform = add("RandomUniformLike", [plain(0)], limits)
    return add("Neg", [add("Log", [add("Neg", [add("Log", [uniform])])])])
  }
}

/// The random numbers of one element: a counter through SplitMix64 (Steele, Lea & Flood 2014).
struct ElementStream {
  private var state: UInt64

  init(key: UInt64, step: Int, element: Int) {
    let start = Self.mix(key &+ Self.mix(UInt64(step)))
    state = Self.mix(start &+ UInt64(element) &* 0x9e37_79b9_7f4a_7c15)
  }

  /// In `[0, 1)`, with 53 bits.
  mutating func uniform() -> Double {
    state &+= 0x9e37_79b9_7f4a_7c15
    return Double(Self.mix(state) >> 11) * 0x1p-53
  }

  /// In `(0, 1)`.
  mutating func positive() -> Double { min(uniform() + 0x1p-54, 1 - 0x1p-53) }

  /// Standard normal, by Marsaglia's polar method.
  mutating func normal() -> Double {
    while true {
      let x = 2 * uniform() - 1, y = 2 * uniform() - 1, square = x * x + y * y
      if square > 0, square < 1 { return x * (-2 * Reproducible.logarithm(square) / square).squareRoot() }
    }
  }

  /// Standard Gumbel.
  mutating func gumbel() -> Double { -Reproducible.logarithm(-Reproducible.logarithm(positive())) }

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
