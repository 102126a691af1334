import TensorCore
import TestSupport
import Testing

/// The upper bound of a clamp, within the range of the sums, whose rounding the results carry.
private func bound(_ g: ConvolutionGeometry) -> Double {
  Double(Float(max(1, Double(g.weightCount / g.outputChannels).squareRoot() / 2)))
}

/// Convolutions as a plan for inference has them: weights prepared, a source as it is or clamped, a sum added to and a
/// clamp behind it.
@Suite struct InferenceConvolutionTests {
  static let cases =
    Case.dense + Case.winograd + Case.grouped + Case.depthwise + [
      Case(n: 130, h: 1, w: 1, ci: 3, co: 33, k: 1, p: 0), Case(n: 2, h: 5, w: 29, ci: 17, co: 96, k: 1, p: 0),
      Case(h: 2, w: 3, ci: 96, co: 17, k: 1, p: 0), Case(n: 2, h: 3, w: 13, ci: 33, co: 33, k: 5, p: 2, g: 33),
      Case(h: 2, w: 29, ci: 7, co: 7, g: 7), Case(n: 2, h: 5, w: 2, ci: 16, co: 16, k: 5, p: 2, g: 16),
      Case(h: 4, w: 9, ci: 17, co: 17, k: 5, s: 2, p: 2, g: 17), Case(h: 6, w: 5, ci: 3, co: 3, s: 4, g: 3),
      Case(h: 6, w: 12, ci: 2, co: 2, k: 5, p: 0, g: 2),
    ]

  /// One way to run a convolution.
  private struct Run {
    let g: ConvolutionGeometry, compute: Compute, isClamped: Bool, accumulates: Bool

    func output(_ sample: ConvolutionSample, _ addend: [Double]) -> [Float] {
      let x = padded(sample.input, channels: g.inputChannels), sum = padded(addend, channels: g.outputChannels)
      let y = accumulates ? sum : GuardedBuffer(count: g.output.floats)
      let weight = GuardedBuffer(floats(sample.weight)), bias = GuardedBuffer(floats(sample.bias))
      let ready = GuardedBuffer(count: Convolution.preparedFloats(g, compute: compute))
      let scratch = GuardedBuffer(count: Convolution.scratchFloats(g, compute: compute))
      Convolution.prepare(g, weight: weight.pointer, prepared: ready.pointer, compute: compute)
      var epilogue = Convolution.Epilogue(bias: bias.pointer)
      (epilogue.low, epilogue.high) = (Float(-bound(g) / 2), Float(bound(g)))
      epilogue.addend = UnsafePointer(sum.pointer)
      let source =
        isClamped ? Convolution.Source(x.pointer, low: 0, high: 0.5) : Convolution.Source(x.pointer)
      Convolution.forward(
        g, input: source, weight: .prepared(ready.pointer), epilogue: epilogue, output: y.pointer,
        scratch: scratch.pointer, compute: compute)
      return checkedUnpadded(y, channels: g.outputChannels)
    }
  }

  @Test("They agree with a double-precision reference", arguments: cases, [false, true])
  func reference(_ example: Case, isClamped: Bool) throws {
    let sample = ConvolutionSample(try example.geometry()), g = sample.g
    let addend = randomDoubles(sample.outputGradient.count, "addend")
    let input = isClamped ? sample.input.map { min(max($0, 0), 0.5) } : sample.input
    let sums = ConvolutionReference(g: g).forward(input, sample.weight, bias: sample.bias)
    let expected = zip(sums, addend).map { min(max($0 + $1, -bound(g) / 2), bound(g)) }
    try expectAgreement(expected, within: 2e-5) { compute in
      let run = Run(g: g, compute: compute, isClamped: isClamped, accumulates: false)
      let result = run.output(sample, addend)
      let again = Run(g: g, compute: compute, isClamped: isClamped, accumulates: true)
      #expect(again.output(sample, addend) == result, "accumulated")
      return result
    }
  }

  @Test("A clamp behind a convolution alone", arguments: cases)
  func clamp(_ example: Case) throws {
    let sample = ConvolutionSample(try example.geometry()), g = sample.g
    let sums = ConvolutionReference(g: g).forward(sample.input, sample.weight, bias: sample.bias)
    try expectAgreement(sums.map { min(max($0, 0), bound(g)) }, within: 2e-5) { compute in
      let x = padded(sample.input, channels: g.inputChannels), y = GuardedBuffer(count: g.output.floats)
      let weight = GuardedBuffer(floats(sample.weight)), bias = GuardedBuffer(floats(sample.bias))
      let scratch = GuardedBuffer(count: Convolution.scratchFloats(g, compute: compute))
      var epilogue = Convolution.Epilogue(bias: bias.pointer)
      (epilogue.low, epilogue.high) = (0, Float(bound(g)))
      Convolution.forward(
        g, input: Convolution.Source(x.pointer), weight: .dense(weight.pointer), epilogue: epilogue,
        output: y.pointer, scratch: scratch.pointer, compute: compute)
      return checkedUnpadded(y, channels: g.outputChannels)
    }
  }

  @Test("Not a number stays one through a clamp", arguments: [1, 3])
  func notANumber(kernel: Int) throws {
    let g = try Case(h: 4, w: 9, ci: 7, co: 7, k: kernel, p: kernel / 2, g: kernel == 1 ? 1 : 7).geometry()
    for compute in try allComputes() {
      let x = GuardedBuffer(count: g.input.floats, value: 0), y = GuardedBuffer(count: g.output.floats)
      x.pointer[0] = .nan
      let weight = GuardedBuffer(count: g.weightCount, value: 1)
      let scratch = GuardedBuffer(count: Convolution.scratchFloats(g, compute: compute))
      var epilogue = Convolution.Epilogue()
      (epilogue.low, epilogue.high) = (0, 6)
      Convolution.forward(
        g, input: Convolution.Source(x.pointer), weight: .dense(weight.pointer), epilogue: epilogue,
        output: y.pointer, scratch: scratch.pointer, compute: compute)
      let output = unpadded(y, channels: 7)
      #expect(output.dense[0].isNaN && output.zeroPadding, label(compute))
      #expect(output.dense[7 * 8] == 0, label(compute))
    }
  }
}
