import TensorCore

/// Compares the derivatives of an example with differences of its numbers.
///
/// Along a random direction of one input after the other, the derivative of Σ y · u is the gradient's product with the
/// direction, and likewise that of Σ g · w with the second gradient. The difference is the central one of fourth order,
/// `(8 (f(h) − f(−h)) − f(2h) + f(−2h)) / 12h`, in single precision: its own error is up to 2e-5.
struct DerivativeCheck {
  /// The largest error that counts as right, relative to the sum of the magnitudes of the products, and a tenth of that
  /// of the terms whose difference is taken (they carry the rounding).
  static let tolerance = 1e-4
  private static let step: Float = 0x1p-7
  private static let directionsPerInput = 2

  let program: ExampleProgram
  let point: ExampleProgram.Point
  let result: ExampleProgram.Result

  /// The largest relative errors of the first and of the second gradient; nil where there is none to check.
  func errors() throws -> (first: Double?, second: Double?) {
    guard program.example.derivatives > 0 else { return (nil, nil) }
    var first: Double?, second: Double?
    var stream = ExampleProgram.random.stream("\(program.example.description)/direction")
    for (target, input) in program.targets.enumerated() {
      for _ in 0..<Self.directionsPerInput {
        let v = point.inputs[input].map { _ in Float(stream.uniform(below: 511) - 255) / 256 }
        let runs = try stencil { shift in
          var moved = point
          moved.inputs[input] = zip(moved.inputs[input], v).map { $0 + shift * $1 }
          return try program.run(moved)
        }
        first = max(first ?? 0, error(runs.map(outputTerms), times(result.gradients[target], v)))
        if !result.second.isEmpty {
          second = max(second ?? 0, error(runs.map(gradientTerms), times(result.second[target], v)))
        }
      }
    }
    if let gradient = result.second.last {
      let v = point.outputGradient.map { _ in Float(stream.uniform(below: 511) - 255) / 256 }
      let runs = try stencil { shift in
        var moved = point
        moved.outputGradient = zip(moved.outputGradient, v).map { $0 + shift * $1 }
        return try program.run(moved)
      }
      second = max(second ?? 0, error(runs.map(gradientTerms), times(gradient, v)))
    }
    return (first, second)
  }

  /// The results at two steps back, one back, one forward and two forward.
  private func stencil(_ run: (Float) throws -> ExampleProgram.Result) rethrows -> [ExampleProgram.Result] {
    try [-2, -1, 1, 2].map { try run($0 * Self.step) }
  }

  private func outputTerms(_ result: ExampleProgram.Result) -> [Double] {
    times(result.output, point.outputGradient)
  }

  private func gradientTerms(_ result: ExampleProgram.Result) -> [Double] {
    let kept = zip(result.gradients, point.directions)
    return kept.flatMap { times($0, $1) }
  }

  private func times(_ a: [Float]?, _ b: [Float]) -> [Double] { zip(a ?? [], b).map { Double($0) * Double($1) } }

  private func error(_ terms: [[Double]], _ products: [Double]) -> Double {
    let f = terms.map { $0.reduce(0, +) }
    let expected = (8 * (f[2] - f[1]) - (f[3] - f[0])) / (12 * Double(Self.step))
    let scale = products.reduce(0) { $0 + abs($1) } + terms[1].reduce(0) { $0 + abs($1) } / 10
    return abs(expected - products.reduce(0, +)) / max(scale, 1e-6)
  }
}
