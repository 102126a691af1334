// Clamps and their gradient.

/// What results are clamped to; in lanes without a channel, 0.
///
/// An argument of functions that aren't inlined: of bounds that it knows to be made of one number the optimiser makes
/// two, one to compare with and one to take, and then finds no instruction for a minimum or a maximum.
struct ClampBounds {
  let low: Lanes, high: Lanes

  @inline(__always)
  init(_ low: Float, _ high: Float, lanes: Int) {
    let mask = laneMask(min(16, lanes))
    self.low = masked(Lanes(repeating: low), mask)
    self.high = masked(Lanes(repeating: high), mask)
  }
}

/// The value within bounds; NaN stays NaN.
@inline(__always)
func clamped(_ value: Lanes, _ low: Lanes, _ high: Lanes) -> Lanes {
  let raised = value.replacing(with: low, where: value .< low)
  return raised.replacing(with: high, where: raised .> high)
}

/// The gradient where `low < x < high`, else 0: that of a clamp.
@inline(__always)
func between(_ x: Lanes, _ low: Lanes, _ high: Lanes, _ gradient: Lanes) -> Lanes {
  let inside = (x .> low) .& (x .< high)
  return Lanes(repeating: 0).replacing(with: gradient, where: inside)
}
