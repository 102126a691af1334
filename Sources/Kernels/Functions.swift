import CKernels

// Functions of one and of two numbers, over flat arrays. The polynomials are Cephes' for single precision (Moshier,
// netlib.org/cephes: logf, tanhf, ndtrf), evaluated by fused multiply-adds: the same bits on every instruction set that
// has them, where the C library's differ from version to version.

/// a1 x^n + … by Horner's rule, two coefficients at a time.
@inline(__always)
private func next(_ p: Lanes, _ x: Lanes, _ coefficient: Float) -> Lanes { fused(p, x, Lanes(repeating: coefficient)) }

@inline(__always)
private func absolute(_ x: Lanes) -> Lanes {
  unsafeBitCast(unsafeBitCast(x, to: LaneBits.self) & LaneBits(repeating: 0x7fff_ffff), to: Lanes.self)
}

/// The magnitude of `a` with the sign of `b`.
@inline(__always)
private func withSign(_ a: Lanes, of b: Lanes) -> Lanes {
  let magnitude = unsafeBitCast(a, to: LaneBits.self) & LaneBits(repeating: 0x7fff_ffff)
  return unsafeBitCast(
    magnitude | (unsafeBitCast(b, to: LaneBits.self) & LaneBits(repeating: 0x8000_0000)), to: Lanes.self)
}

/// e^x over the whole range: 0 far below, infinity far above, NaN for NaN.
@inline(__always)
func exponentialOfAny(_ x: Lanes) -> Lanes {
  let high = Lanes(repeating: 88.0)
  let inside = exponential(x.replacing(with: high, where: x .> high))
  // Above 88 in two factors, so that the last numbers before the largest float come out.
  let above = inside * exponential((x - high).replacing(with: Lanes(repeating: 1), where: x .> Lanes(repeating: 89)))
  var y = inside.replacing(with: above, where: x .> high)
  y = y.replacing(with: Lanes(repeating: .infinity), where: x .> Lanes(repeating: 88.722_839))
  y = y.replacing(with: Lanes(repeating: 0), where: x .< Lanes(repeating: -87.3))
  return y.replacing(with: x, where: x .!= x)
}

@inline(__always)
private func logarithm(_ x: Lanes) -> Lanes {
  let bits = unsafeBitCast(x, to: LaneBits.self)
  // x = m · 2^e with m in [√½, √2).
  let shifted = bits &- LaneBits(repeating: 0x3f35_04f3)
  let exponent = SIMD16<Int32>(truncatingIfNeeded: shifted) &>> SIMD16<Int32>(repeating: 23)
  let mantissa = bits &- (LaneBits(truncatingIfNeeded: exponent) &<< LaneBits(repeating: 23))
  let r = unsafeBitCast(mantissa, to: Lanes.self) - Lanes(repeating: 1), z = r * r
  // A whole number as a float without a checked conversion: its bits beside those of 1.5 · 2^23.
  let biased = LaneBits(truncatingIfNeeded: exponent) &+ LaneBits(repeating: 0x4b40_0000)
  let e = unsafeBitCast(biased, to: Lanes.self) - Lanes(repeating: 12_582_912)
  var p = next(Lanes(repeating: 7.037_683_6e-2), r, -1.151_461_03e-1)
  p = next(p, r, 1.167_699_87e-1)
  p = next(p, r, -1.242_014_08e-1)
  p = next(p, r, 1.424_932_28e-1)
  p = next(p, r, -1.666_805_77e-1)
  p = next(p, r, 2.000_071_48e-1)
  p = next(p, r, -2.499_999_4e-1)
  p = next(p, r, 3.333_333_1e-1)
  var y = p * r * z
  y = fused(e, Lanes(repeating: -2.121_944_4e-4), y)
  y = fused(z, Lanes(repeating: -0.5), y)
  y = fused(e, Lanes(repeating: 0.693_359_375), r + y)
  y = y.replacing(with: Lanes(repeating: -.infinity), where: x .== Lanes(repeating: 0))
  y = y.replacing(with: Lanes(repeating: .nan), where: x .< Lanes(repeating: 0))
  return y.replacing(with: x, where: (x .!= x) .| (x .== Lanes(repeating: .infinity)))
}

@inline(__always)
func hyperbolicTangent(_ x: Lanes) -> Lanes {
  let z = x * x, a = absolute(x)
  var p = next(Lanes(repeating: -5.704_988_7e-3), z, 2.063_908_9e-2)
  p = next(p, z, -5.373_971_6e-2)
  p = next(p, z, 1.333_144_2e-1)
  p = next(p, z, -3.333_328_2e-1)
  let small = fused(p * z, x, x)
  let twice = (a + a).replacing(with: Lanes(repeating: 40), where: a .> Lanes(repeating: 20))
  let large = Lanes(repeating: 1) - Lanes(repeating: 2) / (exponential(twice) + Lanes(repeating: 1))
  return small.replacing(with: withSign(large, of: x), where: a .> Lanes(repeating: 0.625))
}

@inline(__always)
func logistic(_ x: Lanes) -> Lanes {
  let zero = Lanes(repeating: 0), one = Lanes(repeating: 1)
  let e = exponential(-absolute(x)), positive = one / (one + e)
  let y = positive.replacing(with: e * positive, where: x .< zero)
  return y.replacing(with: zero, where: x .< Lanes(repeating: -87.3))
}

/// log(1 + e^x) = max(x, 0) + log(1 + e) with e = e^−|x|. What rounding 1 + e to u loses is made good by the factor
/// e / (u − 1) (Kahan).
@inline(__always)
private func softplus(_ x: Lanes) -> Lanes {
  let one = Lanes(repeating: 1), zero = Lanes(repeating: 0)
  let e = exponentialOfAny(-absolute(x)), u = one + e, difference = u - one
  let tail = (logarithm(u) * (e / difference)).replacing(with: e, where: difference .== zero)
  return x.replacing(with: zero, where: x .< zero) + tail
}

@inline(__always)
private func errorFunction(_ x: Lanes) -> Lanes { errorFunction(x, exponential(-x * x)) }

/// The same with e^(−x²) known.
@inline(__always)
private func errorFunction(_ x: Lanes, _ bell: Lanes) -> Lanes {
  let z = x * x, a = absolute(x)
  var p = next(Lanes(repeating: 7.853_861_4e-5), z, -8.010_193_6e-4)
  p = next(p, z, 5.188_327_7e-3)
  p = next(p, z, -2.685_381_2e-2)
  p = next(p, z, 1.128_358_5e-1)
  p = next(p, z, -3.761_262_6e-1)
  p = next(p, z, 1.128_379_2)
  let small = x * p
  let q = Lanes(repeating: 1) / a, w = q * q
  var near = next(Lanes(repeating: 2.326_82e-2), w, -1.387_039_4e-1)
  near = next(near, w, 3.687_424_7e-1)
  near = next(near, w, -5.824_733e-1)
  near = next(near, w, 6.210_004_6e-1)
  near = next(near, w, -4.944_515_3e-1)
  near = next(near, w, 3.404_88e-1)
  near = next(near, w, -2.741_127e-1)
  near = next(near, w, 5.638_259_4e-1)
  var far = next(Lanes(repeating: -1.047_766_4e+1), w, 1.297_72e+1)
  far = next(far, w, -7.495_518_7)
  far = next(far, w, 2.921_019)
  far = next(far, w, -1.015_265_3)
  far = next(far, w, 4.218_463_4e-1)
  far = next(far, w, -2.820_767_4e-1)
  far = next(far, w, 5.641_895e-1)
  let tail = bell * q * near.replacing(with: far, where: a .> Lanes(repeating: 2))
  let large = withSign(Lanes(repeating: 1) - tail, of: x)
  return small.replacing(with: large, where: a .> Lanes(repeating: 1))
}

/// Whole powers by repeated squaring, others by logarithms: NaN for a negative base, as in IEEE 754's `pow`.
@inline(__always)
private func power(_ x: Lanes, _ exponent: Float) -> Lanes {
  let magnitude = exponent < 0 ? -exponent : exponent
  var y = Lanes(repeating: 1)
  if magnitude <= 64, magnitude.rounded(.towardZero) == magnitude {
    var bits = Int(magnitude), square = x
    while bits > 0 {
      if bits & 1 == 1 { y *= square }
      square *= square
      bits >>= 1
    }
  } else if magnitude == 0.5 {
    y = nr_square_root(x)
  } else {
    y = exponentialOfAny(logarithm(x) * Lanes(repeating: magnitude))
  }
  return exponent < 0 ? Lanes(repeating: 1) / y : y
}

@inline(__always)
private func choose(_ mask: SIMDMask<SIMD16<Int32>>) -> Lanes {
  Lanes(repeating: 0).replacing(with: Lanes(repeating: 1), where: mask)
}

@inline(__always)
private func apply(_ function: UInt32, _ x: Lanes, _ p: Float, _ q: Float) -> Lanes {
  let zero = Lanes(repeating: 0), one = Lanes(repeating: 1)
  switch function {
  case NR_EXP.rawValue: return exponentialOfAny(x)
  case NR_LOG.rawValue: return logarithm(x)
  case NR_SQRT.rawValue: return nr_square_root(x)
  case NR_ABS.rawValue: return absolute(x)
  case NR_SIGN.rawValue:
    return zero.replacing(with: one, where: x .> zero).replacing(with: -one, where: x .< zero)
  case NR_TANH.rawValue: return hyperbolicTangent(x)
  case NR_SIGMOID.rawValue: return logistic(x)
  case NR_ERF.rawValue: return errorFunction(x)
  case NR_SILU.rawValue: return x * logistic(x)
  case NR_HARD_SWISH.rawValue:
    let six = Lanes(repeating: 6), shifted = x + Lanes(repeating: 3)
    let gate = shifted.replacing(with: zero, where: shifted .< zero).replacing(with: six, where: shifted .> six)
    return x * gate * Lanes(repeating: 1.0 / 6)
  case NR_SOFTPLUS.rawValue: return softplus(x)
  case NR_SCALE.rawValue: return fused(x, Lanes(repeating: p), Lanes(repeating: q))
  case NR_POW.rawValue: return power(x, p)
  default:  // NR_CLAMP
    let low = Lanes(repeating: p), high = Lanes(repeating: q)
    return x.replacing(with: low, where: x .< low).replacing(with: high, where: x .> high)
  }
}

@inline(__always)
private func apply(_ function: UInt32, _ a: Lanes, _ b: Lanes, _ p: Float, _ q: Float) -> Lanes {
  let zero = Lanes(repeating: 0), one = Lanes(repeating: 1)
  switch function {
  case NR_ADD.rawValue: return a + b
  case NR_SUB.rawValue: return a - b
  case NR_MUL.rawValue: return a * b
  case NR_DIV.rawValue: return a / b
  case NR_MINIMUM.rawValue:
    return b.replacing(with: a, where: (a .< b) .| (a .!= a))
  case NR_MAXIMUM.rawValue:
    return b.replacing(with: a, where: (a .> b) .| (a .!= a))
  case NR_EQUAL.rawValue: return choose(a .== b)
  case NR_LESS.rawValue: return choose(a .< b)
  case NR_LESS_EQUAL.rawValue: return choose(a .<= b)
  // Gradients: a is what the derivative is a function of, b the incoming gradient.
  case NR_TANH_GRADIENT.rawValue: return b * fused(-a, a, one)
  case NR_SIGMOID_GRADIENT.rawValue: return b * (a * (one - a))
  case NR_SILU_GRADIENT.rawValue:
    let s = logistic(a)
    return b * (s * fused(a, one - s, one))
  case NR_HARD_SWISH_GRADIENT.rawValue:
    let slope = fused(a, Lanes(repeating: 1.0 / 3), Lanes(repeating: 0.5))
    let inside = slope.replacing(with: zero, where: a .< Lanes(repeating: -3))
    return b * inside.replacing(with: one, where: a .> Lanes(repeating: 3))
  case NR_OPEN_RANGE.rawValue:  // the incoming gradient where a lies between the limits
    return zero.replacing(with: b, where: (a .> Lanes(repeating: p)) .& (a .< Lanes(repeating: q)))
  default:  // NR_CLAMP_RANGE: the incoming gradient where a lies within the limits
    return zero.replacing(with: b, where: (a .>= Lanes(repeating: p)) .& (a .<= Lanes(repeating: q)))
  }
}

/// The first lanes from memory, the others zero; with a step of 0 the first number in every lane.
@inline(__always)
private func loadFirst(_ pointer: UnsafePointer<Float>, _ count: Int, _ step: Int) -> Lanes {
  step == 0 ? Lanes(repeating: pointer[0]) : loadFirst(pointer, count)
}

/// Applies a function to whole vectors, then to the rest.
@inline(__always)
private func map(
  _ a: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, _ count: Int64, _ function: (Lanes) -> Lanes
) {
  let count = Int(count)
  var i = 0
  while i &+ 16 <= count {
    store(function(load(a + i)), result + i)
    i &+= 16
  }
  if i < count { storeFirst(function(loadFirst(a + i, count &- i, 1)), result + i, count &- i) }
}

// What takes a few instructions has a loop of its own, so that the choice of the function is outside of it.

func unary(
  _ function: UInt32, _ a: UnsafePointer<Float>, _ p: Float, _ q: Float, _ result: UnsafeMutablePointer<Float>,
  _ count: Int64
) {
  switch function {
  case NR_ABS.rawValue: map(a, result, count) { apply(NR_ABS.rawValue, $0, p, q) }
  case NR_SQRT.rawValue: map(a, result, count) { apply(NR_SQRT.rawValue, $0, p, q) }
  case NR_SCALE.rawValue: map(a, result, count) { apply(NR_SCALE.rawValue, $0, p, q) }
  case NR_CLAMP.rawValue: map(a, result, count) { apply(NR_CLAMP.rawValue, $0, p, q) }
  case NR_HARD_SWISH.rawValue: map(a, result, count) { apply(NR_HARD_SWISH.rawValue, $0, p, q) }
  case NR_GELU.rawValue: gelu(a, result, count)
  case NR_TANH.rawValue: map(a, result, count) { apply(NR_TANH.rawValue, $0, p, q) }
  case NR_SIGMOID.rawValue: map(a, result, count) { apply(NR_SIGMOID.rawValue, $0, p, q) }
  case NR_EXP.rawValue: map(a, result, count) { apply(NR_EXP.rawValue, $0, p, q) }
  default: map(a, result, count) { apply(function, $0, p, q) }
  }
}

@inline(__always)
private func map(
  _ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>, _ bStep: Int,
  _ result: UnsafeMutablePointer<Float>, _ count: Int64, _ function: (Lanes, Lanes) -> Lanes
) {
  let count = Int(count)
  var i = 0
  while i &+ 16 <= count, aStep == 1, bStep == 1 {
    store(function(load(a + i), load(b + i)), result + i)
    i &+= 16
  }
  while i < count {
    let lanes = count &- i
    let x = loadFirst(a + i &* aStep, lanes, aStep), y = loadFirst(b + i &* bStep, lanes, bStep)
    storeFirst(function(x, y), result + i, lanes)
    i &+= 16
  }
}

func binary(
  _ function: UInt32, _ a: UnsafePointer<Float>, _ aStep: Int64, _ b: UnsafePointer<Float>, _ bStep: Int64, _ p: Float,
  _ q: Float, _ result: UnsafeMutablePointer<Float>, _ count: Int64
) {
  let aStep = Int(aStep), bStep = Int(bStep)
  switch function {
  case NR_ADD.rawValue: map(a, aStep, b, bStep, result, count) { apply(NR_ADD.rawValue, $0, $1, p, q) }
  case NR_SUB.rawValue: map(a, aStep, b, bStep, result, count) { apply(NR_SUB.rawValue, $0, $1, p, q) }
  case NR_MUL.rawValue: map(a, aStep, b, bStep, result, count) { apply(NR_MUL.rawValue, $0, $1, p, q) }
  case NR_GELU_GRADIENT.rawValue: geluGradient(a, b, result, count)  // of equal shapes alone
  case NR_CLAMP_RANGE.rawValue:
    map(a, aStep, b, bStep, result, count) { apply(NR_CLAMP_RANGE.rawValue, $0, $1, p, q) }
  case NR_OPEN_RANGE.rawValue:
    map(a, aStep, b, bStep, result, count) { apply(NR_OPEN_RANGE.rawValue, $0, $1, p, q) }
  default: map(a, aStep, b, bStep, result, count) { apply(function, $0, $1, p, q) }
  }
}
