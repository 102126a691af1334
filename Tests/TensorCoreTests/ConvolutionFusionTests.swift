import TensorCore
import TestSupport
import Testing

/// What a fused convolution computes around its sums, in double precision.
private struct Fused {
  let g: ConvolutionGeometry, sample: ConvolutionSample, reference: ConvolutionReference
  /// Laid out like the input and the output.
  let z: [Double], mask: [Double], addend: [Double], inputMask: [Double], inputAddend: [Double]
  let inputVectors: [[Double]], outputVectors: [[Double]]

  init(_ example: Case) throws {
    g = try example.geometry()
    sample = ConvolutionSample(g)
    reference = ConvolutionReference(g: g)
    let outputs = sample.outputGradient.count, inputs = sample.input.count
    z = randomDoubles(outputs, "z")
    mask = randomDoubles(outputs, "mask")
    addend = randomDoubles(outputs, "addend")
    inputMask = randomDoubles(inputs, "input mask")
    inputAddend = randomDoubles(inputs, "input addend")
    inputVectors = ["scale", "shift"].map { [g] in randomDoubles(g.inputChannels, $0) }
    outputVectors = ["k1", "k2", "k3", "scale", "shift"].map { [g] in randomDoubles(g.outputChannels, $0) }
  }

  func clamp(_ x: Double, _ low: Double, _ high: Double) -> Double { min(max(x, low), high) }

  /// The input by an affine function and a clamp to 0 ... 0.5.
  var affineInput: [Double] {
    sample.input.enumerated().map { index, x in
      let c = index % g.inputChannels
      return clamp(x * inputVectors[0][c] + inputVectors[1][c], 0, 0.5)
    }
  }

  /// The gradient of a normalisation, with or without a clamp to 0 ... 0.5 behind it.
  func normalisationGradient(masked: Bool) -> [Double] {
    sample.outputGradient.enumerated().map { index, dy in
      let k = outputVectors.map { $0[index % g.outputChannels] }, x = k[3] * z[index] + k[4]
      return k[0] * (!masked || (x > 0 && x < 0.5) ? dy : 0) + k[1] * z[index] + k[2]
    }
  }

  /// The upper bound of the epilogue's clamp, within the range of the sums; half of it is the lower one.
  var bound: Float { max(1, Float(g.weightCount / g.outputChannels).squareRoot() / 2) }

  /// Mask, addend and clamp.
  func epilogue(_ result: [Double], mask: [Double], addend: [Double]) -> [Double] {
    result.indices.map {
      clamp((mask[$0] > 0 && mask[$0] < 0.7 ? result[$0] : 0) + addend[$0], Double(-bound / 2), Double(bound))
    }
  }

  // A normalisation of the input by statistics of another batch.
  static let epsilon = 1e-3
  var means: [Double] { (0..<g.inputChannels).map { Double($0 % 5) / 8 - 0.25 } }
  var variances: [Double] { (0..<g.inputChannels).map { 0.5 + Double($0 % 7) / 16 } }

  /// What `FusedRun.reduction` gives, from the gradient of that normalisation's output, and the size of its sums.
  func reduction(_ dx: [Double], clamped: Bool) -> (values: [Double], size: Double) {
    let channels = g.inputChannels, n = Double(g.input.rows)
    var dgamma = [Double](repeating: 0, count: channels), dbeta = dgamma, magnitude = dgamma
    for (index, x) in sample.input.enumerated() {
      let c = index % channels, normal = (x - means[c]) / (variances[c] + Self.epsilon).squareRoot()
      let y = inputVectors[0][c] * normal + inputVectors[1][c]
      guard !clamped || (y > 0 && y < 0.5) else { continue }
      dbeta[c] += dx[index]
      dgamma[c] += dx[index] * normal
      magnitude[c] += abs(dx[index]) * max(1, abs(normal))
    }
    let d = variances.map { 1 / ($0 + Self.epsilon).squareRoot() }, scale = zip(inputVectors[0], d).map { $0 * $1 }
    let k2 = (0..<channels).map { -scale[$0] * d[$0] * dgamma[$0] / n }
    let k3 = (0..<channels).map { -scale[$0] * dbeta[$0] / n - k2[$0] * means[$0] }
    return (dgamma + dbeta + scale + k2.map { $0 * n } + k3.map { $0 * n }, magnitude.max() ?? 0)
  }

  func statistics(_ result: [Double]) -> (mean: [Double], variance: [Double]) {
    let columns = (0..<g.outputChannels).map { channel in
      stride(from: channel, to: result.count, by: g.outputChannels).map { result[$0] }
    }
    let mean = columns.map { $0.reduce(0, +) / Double($0.count) }
    let variance = zip(columns, mean).map { column, mean in
      column.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(column.count)
    }
    return (mean, variance)
  }
}

/// The same on the kernels.
private struct FusedRun {
  let f: Fused, compute: Compute
  private let x: GuardedBuffer, dy: GuardedBuffer, z: GuardedBuffer, w: GuardedBuffer, scratch: GuardedBuffer
  private let inputVectors: [GuardedBuffer], outputVectors: [GuardedBuffer]

  init(_ f: Fused, _ compute: Compute) {
    (self.f, self.compute) = (f, compute)
    let g = f.g
    x = padded(f.sample.input, channels: g.inputChannels)
    dy = padded(f.sample.outputGradient, channels: g.outputChannels)
    z = padded(f.z, channels: g.outputChannels)
    w = GuardedBuffer(floats(f.sample.weight))
    inputVectors = f.inputVectors.map { padded($0, channels: g.inputChannels) }
    outputVectors = f.outputVectors.map { padded($0, channels: g.outputChannels) }
    scratch = GuardedBuffer(count: Convolution.scratchFloats(g, compute: compute))
  }

  private var input: Convolution.Source {
    .affine(x.pointer, scale: inputVectors[0].pointer, shift: inputVectors[1].pointer, low: 0, high: 0.5)
  }

  private func gradient(masked: Bool) -> Convolution.Source {
    let k = outputVectors.map { UnsafePointer($0.pointer) }
    return masked
      ? .normalisationGradient(
        dy.pointer, z.pointer, k1: k[0], k2: k[1], k3: k[2], scale: k[3], shift: k[4], low: 0, high: 0.5)
      : .normalisationGradient(dy.pointer, z.pointer, k1: k[0], k2: k[1], k3: k[2])
  }

  /// Output, mean and variance of an affine source with all of the epilogue, accumulated into the addend or not.
  func forward(prepared: Bool, accumulates: Bool) -> [Float] {
    let g = f.g, bias = GuardedBuffer(floats(f.sample.bias)), mask = padded(f.mask, channels: g.outputChannels)
    let addend = padded(f.addend, channels: g.outputChannels)
    let result = accumulates ? addend : GuardedBuffer(count: g.output.floats)
    let mean = GuardedBuffer(count: g.outputChannels), variance = GuardedBuffer(count: g.outputChannels)
    var epilogue = Convolution.Epilogue(bias: bias.pointer)
    (epilogue.mask, epilogue.maskHigh, epilogue.addend) = (UnsafePointer(mask.pointer), 0.7, .init(addend.pointer))
    (epilogue.low, epilogue.high) = (-f.bound / 2, f.bound)
    (epilogue.mean, epilogue.variance) = (mean.pointer, variance.pointer)
    let ready = GuardedBuffer(count: Convolution.preparedFloats(g, compute: compute))
    if prepared { Convolution.prepare(g, weight: w.pointer, prepared: ready.pointer, compute: compute) }
    Convolution.forward(
      g, input: input, weight: prepared ? .prepared(ready.pointer) : .dense(w.pointer), epilogue: epilogue,
      output: result.pointer, scratch: scratch.pointer, compute: compute)
    return checkedUnpadded(result, channels: g.outputChannels) + mean.values + variance.values
  }

  /// Both gradients with a normalisation's gradient as the output's, from one call or from two.
  func gradients(
    masked: Bool, together: Bool, reduction: BatchNormalization.BackwardReduction? = nil
  ) -> [[Float]] {
    let g = f.g, mask = padded(f.inputMask, channels: g.inputChannels)
    let dx = padded(f.inputAddend, channels: g.inputChannels), dw = GuardedBuffer(count: g.weightCount)
    var epilogue = Convolution.Epilogue()
    (epilogue.mask, epilogue.maskHigh, epilogue.addend) = (UnsafePointer(mask.pointer), 0.7, .init(dx.pointer))
    (epilogue.low, epilogue.high) = (-f.bound / 2, f.bound)
    epilogue.reduction = reduction
    if together {
      Convolution.gradients(
        g, input: input, outputGradient: gradient(masked: masked), weight: w.pointer, epilogue: epilogue,
        inputGradient: dx.pointer, weightGradient: dw.pointer, scratch: scratch.pointer, compute: compute)
    } else {
      Convolution.inputGradient(
        g, outputGradient: gradient(masked: masked), weight: w.pointer, epilogue: epilogue,
        inputGradient: dx.pointer, scratch: scratch.pointer, compute: compute)
      Convolution.weightGradient(
        g, input: input, outputGradient: gradient(masked: masked), weightGradient: dw.pointer,
        scratch: scratch.pointer, compute: compute)
    }
    return [checkedUnpadded(dx, channels: g.inputChannels), dw.values]
  }

  /// The gradients of a normalisation's factors and shifts, and the coefficients of its input's, from the sums that are
  /// taken where the input gradient is written.
  func reduction(clamped: Bool, together: Bool) -> [Float] {
    let g = f.g, channels = g.inputChannels
    let given = [f.means, f.variances, f.inputVectors[0], f.inputVectors[1]].map { GuardedBuffer(floats($0)) }
    let sums = (GuardedBuffer(count: channels), GuardedBuffer(count: channels))
    let storage = GuardedBuffer(count: BatchNormalization.GradientCoefficients.storageFloats(channels: channels))
    let vectors = GuardedBuffer(count: BatchNormalization.scratchFloats(channels: channels))
    let k = BatchNormalization.GradientCoefficients(channels: channels, storage: storage.pointer)
    let reduction = BatchNormalization.BackwardReduction(
      rows: g.input.rows, channels: channels, input: x.pointer, mean: given[0].pointer, variance: given[1].pointer,
      epsilon: Float(Fused.epsilon), gamma: given[2].pointer, beta: given[3].pointer, statisticsDependOnInput: true,
      clamp: clamped ? (0, 0.5) : nil, coefficients: k, gammaGradient: sums.0.pointer,
      betaGradient: sums.1.pointer, scratch: vectors.pointer)
    return withExtendedLifetime((given, storage, vectors)) {
      _ = gradients(masked: true, together: together, reduction: reduction)
      let n = Float(g.input.rows)
      return sums.0.values + sums.1.values
        + [0, 1, 2].flatMap { index in (0..<channels).map { k[index][$0] * (index == 0 ? 1 : n) } }
    }
  }
}

@Suite struct ConvolutionFusionTests {
  static let cases = Case.dense + Case.winograd + Case.grouped + Case.depthwise

  /// The clamps leave numbers that are smaller than the terms whose rounding they carry.
  static let tolerance = 5e-6

  @Test("A source made on the way in and an epilogue agree with a double-precision reference", arguments: cases)
  func forward(_ example: Case) throws {
    let f = try Fused(example)
    let output = f.epilogue(
      f.reference.forward(f.affineInput, f.sample.weight, bias: f.sample.bias), mask: f.mask, addend: f.addend)
    let statistics = f.statistics(output), expected = output + statistics.mean + statistics.variance
    try expectAgreement(expected, within: Self.tolerance) { compute in
      let run = FusedRun(f, compute)
      let result = run.forward(prepared: false, accumulates: false)
      #expect(run.forward(prepared: true, accumulates: false) == result, "prepared weights")
      #expect(run.forward(prepared: false, accumulates: true) == result, "accumulated")
      return result
    }
  }

  @Test(
    "Gradients through a normalisation agree with a double-precision reference", arguments: cases, [false, true])
  func gradients(_ example: Case, masked: Bool) throws {
    let f = try Fused(example), dz = f.normalisationGradient(masked: masked)
    let dx = f.epilogue(
      f.reference.inputGradient(dz, f.sample.weight), mask: f.inputMask, addend: f.inputAddend)
    let dw = f.reference.weightGradient(f.affineInput, dz)
    for (index, expected) in [dx, dw].enumerated() {
      try expectAgreement(expected, within: Self.tolerance) { compute in
        let run = FusedRun(f, compute), result = run.gradients(masked: masked, together: true)
        #expect(run.gradients(masked: masked, together: false) == result, "alone")
        return result[index]
      }
    }
  }

  @Test(
    "The sums for the normalisation before a convolution agree with a double-precision reference", arguments: cases,
    [false, true])
  func reduction(_ example: Case, clamped: Bool) throws {
    let f = try Fused(example)
    let dx = f.epilogue(
      f.reference.inputGradient(f.normalisationGradient(masked: true), f.sample.weight), mask: f.inputMask,
      addend: f.inputAddend)
    let (values, size) = f.reduction(dx, clamped: clamped), expected = values + [max(1, size)]
    try expectAgreement(expected, within: Self.tolerance) { compute in
      let run = FusedRun(f, compute), last = [Float(max(1, size))]
      let alone = run.reduction(clamped: clamped, together: false) + last
      #expect(worstError(alone, expected) < Self.tolerance, "alone")
      return run.reduction(clamped: clamped, together: true) + last
    }
  }
}
