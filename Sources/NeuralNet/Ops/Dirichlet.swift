import Canonical
import Diagnostics
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
          try drawDirichlet(alpha, draw, row: row, grid: grid, key: key, step: call.step)
        }
      }
    },
    gradient: { site in
      let y = site.outputs[0], dy = site.outputGradient
      let slope = try site.apply(.dirichletSlope, [y, site.inputs[0]])[0]
      return [try site.multiply(slope, try site.subtract(dy, try site.apply(.rowDot, [y, dy])[0]))]
    }, onnx: .dirichlet)

  /// How Dirichlet draws move with their concentrations: draws, concentrations -> for each element of a draw its
  /// derivative by its own concentration, with the sum of the others fixed, over `1 − y`. The gradient of a draw by the
  /// concentrations is `slopeᵢ · (dyᵢ − Σ y · dy)`.
  static let dirichletSlope: Op = dirichletFunction(
    "dirichlet_slope", "Derivatives of Dirichlet draws by their concentrations.",
    function: { _ in { BetaDistribution.pathwiseGradient(x: $0, a: $1, b: $2) } },
    gradient: { site in
      let incoming = site.outputGradient
      let (byDraw, byOwn, byOthers) = try (site.curvature(0), site.curvature(1), site.curvature(2))
      // A concentration is also one of the others of every other element.
      let own = try site.multiply(incoming, try site.subtract(byOwn, byOthers))
      let others = try site.apply(.rowDot, [incoming, byOthers])[0]
      return [try site.multiply(incoming, byDraw), try site.apply(.add, [own, others])[0]]
    })

  /// The derivatives of `dirichlet_slope` by what `by` names: 0 the draws, 1 their own concentrations, 2 the sum of the
  /// others. They are differences already, so there is no third order.
  static let dirichletCurvature: Op = dirichletFunction(
    "dirichlet_curvature", "Second derivatives of Dirichlet draws by their concentrations.",
    function: { attributes in
      let argument = BetaDistribution.Argument(rawValue: attributes.integer("by")) ?? .draw
      return { BetaDistribution.pathwiseCurvature(by: argument, x: $0, a: $1, b: $2) }
    }, gradient: nil)

  /// A function of each element of a draw, its own concentration and the sum of the others.
  private static func dirichletFunction(
    _ name: String, _ documentation: String,
    function: @escaping @Sendable (Attributes) -> (Double, Double, Double) -> Double,
    gradient: (@Sendable (GradientSite) throws -> [Symbol?])?
  ) -> Op {
    Op(
      name, documentation, role: .derived, arity: .exactly(2), paddingLanes: .cleared, infer: { [$0.input] },
      kernel: { site in
        let grid = Grid(site, site.inputs[0]), function = function(site.attributes)
        return Kernel { call in
          let draws = call.input(0), concentrations = call.input(1)
          for row in 0..<grid.rows {
            let start = row * grid.stride
            var total = 0.0
            for channel in 0..<grid.channels { total += Double(concentrations[start + channel]) }
            for lane in 0..<grid.stride {
              let index = start + lane, alpha = Double(concentrations[index])
              let x = min(max(Double(draws[index]), 1e-30), 1 - 0x1p-40)
              call.output(0)[index] = lane < grid.channels ? Float(function(x, alpha, max(total - alpha, 1e-30))) : 0
            }
          }
        }
      }, gradient: gradient)
  }

  /// Gamma draws over their sum; where all of them vanish, the whole mass goes to the largest.
  private static func drawDirichlet(
    _ alpha: UnsafePointer<Float>, _ draw: UnsafeMutablePointer<Float>, row: Int, grid: Grid, key: UInt64, step: Int
  ) throws {
    if let wrong = UnsafeBufferPointer(start: alpha, count: grid.channels).first(where: { !($0 > 0) }) {
      throw Fault(
        .recipe, "dirichlet: wrong concentration", expected: "numbers above 0", got: "\(wrong)",
        hint: "Make them positive first: nn.softplus(x), or nn.exp(x).")
    }
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

extension GradientSite {
  /// The derivative of a Dirichlet slope by one of its arguments.
  fileprivate func curvature(_ argument: Int) throws -> Symbol {
    try apply(.dirichletCurvature, inputs, Attributes(["by": .int(argument)]))[0]
  }
}

extension ONNXMapping {
  /// Marsaglia & Tsang's gamma draws without a loop: of 16 proposals the first that is accepted. One is with a
  /// probability of at least 0.95, so that all fail once in 10²⁰ draws. In logarithms, so that small concentrations
  /// don't underflow; their softmax is the draw.
  fileprivate static let dirichlet = ONNXMapping("RandomNormalLike") { site in
    let alpha = site.plain(0), one = site.number(1, "one")
    let isSmall = site.add("Less", [alpha, one])
    let raised = site.add("Add", [alpha, site.cast(isSmall, to: .float)])
    let single = site.add("Unsqueeze", [raised, site.integers([0], "proposal")])
    let copies = site.integers([16] + [Int](repeating: 1, count: site.shape(0).rank), "proposals")
    let d = site.scaled(site.add("Expand", [single, copies]), plus: -1.0 / 3)
    let x = site.add("RandomNormalLike", [d])
    let c = site.add("Reciprocal", [site.scaled(site.add("Sqrt", [d]), by: 3)])
    let root = site.scaled(site.add("Mul", [c, x]), plus: 1)
    let v = site.add("Mul", [root, site.add("Mul", [root, root])])
    // The logarithm of a negative number is NaN, which is less than nothing: not accepted.
    let logarithm = site.add("Log", [v])
    let bound = site.add(
      "Add",
      [
        site.scaled(site.add("Mul", [x, x]), by: 0.5),
        site.add("Mul", [d, site.add("Sub", [site.scaled(logarithm, plus: 1), v])]),
      ])
    let isAccepted = site.add("Less", [site.logarithmOfUniform(like: d), bound])
    let first = site.add("ArgMax", [site.cast(isAccepted, to: .float)], ["axis": 0, "keepdims": 1])
    let gammas = site.add("Add", [logarithm, site.add("Log", [d])])
    let gamma = site.add(
      "Squeeze", [site.add("GatherElements", [gammas, first], ["axis": 0]), site.integers([0], "chosen")])
    let lowered = site.add("Add", [gamma, site.add("Div", [site.logarithmOfUniform(like: alpha), alpha])])
    return site.plain(site.add("Softmax", [site.add("Where", [isSmall, lowered, gamma])], ["axis": -1]))
  }
}

extension ONNXSite {
  fileprivate func logarithmOfUniform(like name: String) -> String {
    add("Log", [add("RandomUniformLike", [name], ["low": 1e-30, "high": 1.0])])
  }
}
