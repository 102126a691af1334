import Canonical
import TensorCore

extension Op {
  /// One draw per row from the Dirichlet distribution with concentrations `x`, over the last dimension: positive numbers
  /// that sum to 1. The gradient goes through the draw (Figurnov, Mohamed & Mnih 2018, "Implicit reparameterization
  /// gradients").
  static let dirichlet: Op = Op(
    "dirichlet", "A draw from the Dirichlet distribution over the last axis.", paddingLanes: .cleared,
    isRepeatable: false, infer: { [$0.input] },
    kernel: { site in
      let grid = Grid(site, site.inputs[0]), key = site.randomKey
      return Kernel { call in
        for row in 0..<grid.rows {
          let start = row * grid.stride, alpha = call.input(0) + start, draw = call.output(0) + start
          drawDirichlet(alpha, draw, row: row, grid: grid, key: key, step: call.step)
        }
      }
    },
    gradient: { site in
      [try site.apply(.dirichletGradient, [site.outputs[0], site.inputs[0], site.outputGradient])[0]]
    })

  /// The gradient of Dirichlet draws by their concentrations: draws, concentrations, `dy` -> `dconcentrations`,
  /// `slopeᵢ · (dyᵢ − Σ y · dy)`. It has no gradient itself.
  static let dirichletGradient: Op = Op(
    "dirichlet_gradient", "Gradient of Dirichlet draws.", role: .derived, arity: .exactly(3), paddingLanes: .cleared,
    infer: { [$0.input] },
    kernel: { site in
      let grid = Grid(site, site.inputs[0])
      return Kernel { call in
        for row in 0..<grid.rows {
          let start = row * grid.stride
          let y = call.input(0) + start, alpha = call.input(1) + start, dy = call.input(2) + start
          var total = 0.0, mean = 0.0
          for channel in 0..<grid.channels {
            total += Double(alpha[channel])
            mean += Double(y[channel]) * Double(dy[channel])
          }
          for lane in 0..<grid.stride {
            let isInside = lane < grid.channels
            call.output(0)[start + lane] =
              isInside ? Float(slope(y[lane], alpha[lane], total) * (Double(dy[lane]) - mean)) : 0
          }
        }
      }
    })

  /// The derivative of one element of a draw by its concentration, with the other concentrations' sum fixed, over
  /// `1 − y`.
  private static func slope(_ y: Float, _ alpha: Float, _ total: Double) -> Double {
    let x = min(max(Double(y), 1e-30), 1 - 0x1p-40)
    return BetaDistribution.pathwiseGradient(x: x, a: Double(alpha), b: max(total - Double(alpha), 1e-30))
  }

  /// Gamma draws over their sum; where all of them vanish, the whole mass goes to the largest.
  private static func drawDirichlet(
    _ alpha: UnsafePointer<Float>, _ draw: UnsafeMutablePointer<Float>, row: Int, grid: Grid, key: UInt64, step: Int
  ) {
    var highest = -Double.infinity, sum = 0.0
    withUnsafeTemporaryAllocation(of: Double.self, capacity: grid.channels) { logarithms in
      for channel in 0..<grid.channels {
        var stream = ElementStream(key: key, step: step, element: row * grid.channels + channel)
        logarithms[channel] = stream.logGamma(shape: Double(alpha[channel]))
        highest = max(highest, logarithms[channel])
      }
      for channel in 0..<grid.channels { sum += Reproducible.exponential(logarithms[channel] - highest) }
      for lane in 0..<grid.stride {
        let isInside = lane < grid.channels
        draw[lane] = isInside ? Float(Reproducible.exponential(logarithms[lane] - highest) / sum) : 0
      }
    }
  }
}

extension ElementStream {
  /// The logarithm of a draw from Gamma(shape, 1): Marsaglia & Tsang 2000, with their boost by `u^(1 / shape)` below 1.
  mutating func logGamma(shape: Double) -> Double {
    guard shape > 0 else { return .nan }
    let isSmall = shape < 1, d = (isSmall ? shape + 1 : shape) - 1.0 / 3, c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal(), root = 1 + c * x
      guard root > 0 else { continue }
      let v = root * root * root, u = positive()
      guard Reproducible.logarithm(u) < 0.5 * x * x + d - d * v + d * Reproducible.logarithm(v) else { continue }
      let value = Reproducible.logarithm(d * v)
      return isSmall ? value + Reproducible.logarithm(positive()) / shape : value
    }
  }
}
