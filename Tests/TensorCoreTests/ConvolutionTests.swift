import TensorCore
import TestSupport
import Testing

/// A convolution by its numbers, for lists of awkward cases.
struct Case: CustomTestStringConvertible, Sendable {
  var n = 1, h = 5, w = 5, ci = 3, co = 7, k = 3, kw: Int?, s = 1, p = 1, d = 1, g = 1

  func geometry() throws -> ConvolutionGeometry {
    try ConvolutionGeometry(
      batch: n, inputHeight: h, inputWidth: w, inputChannels: ci, outputChannels: co,
      kernel: Extent(height: k, width: kw ?? k), stride: Extent(s), padding: Extent(height: p, width: kw == 1 ? 0 : p),
      dilation: Extent(d), groups: g)
  }

  var testDescription: String {
    "n\(n) \(h)x\(w) \(ci)->\(co) k\(k)x\(kw ?? k) s\(s) p\(p) d\(d) g\(g)"
  }

  static let dense: [Case] = [
    Case(), Case(n: 2, h: 1, w: 1, ci: 1, co: 1), Case(h: 1, w: 1, ci: 17, co: 33, k: 1, p: 0),
    Case(n: 3, h: 7, w: 1, ci: 7, co: 17), Case(n: 2, h: 9, w: 23, ci: 16, co: 16),
    Case(n: 2, h: 8, w: 8, ci: 32, co: 48),
    Case(n: 5, h: 6, w: 7, ci: 17, co: 3, k: 1, p: 0), Case(n: 70, h: 1, w: 1, ci: 40, co: 10, k: 1, p: 0),
    Case(n: 3, h: 20, w: 31, ci: 7, co: 16, k: 1, p: 0), Case(n: 2, h: 9, w: 8, ci: 7, co: 17, s: 2),
    Case(n: 2, h: 8, w: 9, ci: 16, co: 40, k: 1, s: 2, p: 0),
    Case(h: 11, w: 10, ci: 3, co: 17, k: 2, s: 3, p: 0), Case(h: 11, w: 13, ci: 5, co: 6, k: 1, s: 4, p: 0),
    Case(n: 2, h: 12, w: 11, ci: 7, co: 9, p: 2, d: 2), Case(h: 13, w: 12, ci: 4, co: 20, s: 2, p: 3, d: 3),
    Case(h: 13, w: 14, ci: 3, co: 5, s: 4, p: 2, d: 2), Case(h: 6, w: 6, ci: 3, co: 4, k: 5, p: 4),
    Case(h: 4, w: 40, ci: 1, co: 17, k: 7, p: 3), Case(n: 2, h: 6, w: 5, ci: 20, co: 12, k: 3, kw: 1),
    Case(h: 70, w: 70, ci: 17, co: 3, k: 3), Case(h: 3, w: 600, ci: 2, co: 3),
  ]

  /// Those that go by Winograd's algorithm: tiles that stick out, units of rows and of images, all paddings.
  static let winograd: [Case] = [
    Case(n: 3, h: 3, w: 3, ci: 16, co: 16), Case(n: 5, h: 4, w: 7, ci: 17, co: 33),
    Case(n: 2, h: 9, w: 5, ci: 12, co: 40, p: 2),
    Case(n: 1, h: 33, w: 30, ci: 16, co: 20), Case(n: 7, h: 8, w: 8, ci: 48, co: 64),
    Case(n: 1, h: 5, w: 256, ci: 13, co: 12),
    Case(n: 2, h: 6, w: 5, ci: 32, co: 16, p: 0), Case(n: 2, h: 5, w: 6, ci: 15, co: 18, p: 4),
    Case(n: 3, h: 66, w: 9, ci: 16, co: 16),
  ]

  static let grouped: [Case] = [
    Case(ci: 6, co: 9, g: 3), Case(n: 2, h: 6, w: 9, ci: 34, co: 34, s: 2, g: 2), Case(ci: 64, co: 64, g: 2),
    Case(ci: 8, co: 24, k: 3, g: 8), Case(h: 4, w: 4, ci: 40, co: 20, k: 1, p: 0, g: 4), Case(ci: 66, co: 33, g: 33),
  ]

  static let depthwise: [Case] = [
    Case(ci: 3, co: 3, g: 3), Case(n: 2, h: 9, w: 11, ci: 17, co: 17, k: 5, p: 2, g: 17),
    Case(n: 3, h: 8, w: 7, ci: 32, co: 32, s: 2, g: 32), Case(h: 1, w: 1, ci: 7, co: 7, g: 7),
    Case(n: 2, h: 12, w: 10, ci: 20, co: 20, p: 4, d: 2, g: 20), Case(h: 9, w: 9, ci: 5, co: 5, k: 2, s: 3, p: 0, g: 5),
    Case(h: 80, w: 70, ci: 2, co: 2, k: 7, p: 3, g: 2), Case(h: 7, w: 1, ci: 16, co: 16, k: 3, kw: 1, g: 16),
    // Units of one vector of channels, of some, and of strips.
    Case(n: 2, h: 29, w: 28, ci: 24, co: 24, g: 24), Case(n: 2, h: 13, w: 14, ci: 113, co: 113, k: 5, p: 2, g: 113),
    Case(h: 50, w: 31, ci: 33, co: 33, k: 5, s: 2, p: 2, g: 33), Case(n: 2, h: 5, w: 45, ci: 17, co: 17, g: 17),
  ]
}

/// The three results of one convolution.
struct ConvolutionResults: Equatable {
  var output: [Float], inputGradient: [Float], weightGradient: [Float]
  var zeroPadding: Bool
}

/// A convolution with random operands.
struct ConvolutionSample {
  let g: ConvolutionGeometry
  let input: [Double], weight: [Double], bias: [Double], outputGradient: [Double]

  init(_ g: ConvolutionGeometry) {
    self.g = g
    input = randomDoubles(g.input.rows * g.inputChannels, "input")
    weight = randomDoubles(g.weightCount, "weight")
    bias = randomDoubles(g.outputChannels, "bias")
    outputGradient = randomDoubles(g.output.rows * g.outputChannels, "gradient")
  }

  func run(_ compute: Compute) -> ConvolutionResults {
    let x = padded(input, channels: g.inputChannels), dy = padded(outputGradient, channels: g.outputChannels)
    let w = GuardedBuffer(floats(weight)), b = GuardedBuffer(floats(bias))
    let y = GuardedBuffer(count: g.output.floats), dx = GuardedBuffer(count: g.input.floats)
    let dw = GuardedBuffer(count: g.weightCount)
    let scratch = GuardedBuffer(count: Convolution.scratchFloats(g, compute: compute))
    Convolution.forward(
      g, input: Convolution.Source(x.pointer), weight: .dense(w.pointer),
      epilogue: Convolution.Epilogue(bias: b.pointer), output: y.pointer, scratch: scratch.pointer, compute: compute)
    Convolution.inputGradient(
      g, outputGradient: Convolution.Source(dy.pointer), weight: w.pointer, inputGradient: dx.pointer,
      scratch: scratch.pointer, compute: compute)
    Convolution.weightGradient(
      g, input: Convolution.Source(x.pointer), outputGradient: Convolution.Source(dy.pointer),
      weightGradient: dw.pointer, scratch: scratch.pointer, compute: compute)
    let output = unpadded(y, channels: g.outputChannels), inputGradient = unpadded(dx, channels: g.inputChannels)
    return ConvolutionResults(
      output: output.dense, inputGradient: inputGradient.dense, weightGradient: dw.values,
      zeroPadding: output.zeroPadding && inputGradient.zeroPadding)
  }
}

@Suite struct ConvolutionTests {
  @Test(
    "Convolution and its gradients agree with a double-precision reference",
    arguments: Case.dense + Case.winograd + Case.grouped + Case.depthwise)
  func reference(_ example: Case) throws {
    let sample = ConvolutionSample(try example.geometry())
    let reference = ConvolutionReference(g: sample.g)
    let output = reference.forward(sample.input, sample.weight, bias: sample.bias)
    let inputGradient = reference.inputGradient(sample.outputGradient, sample.weight)
    let weightGradient = reference.weightGradient(sample.input, sample.outputGradient)
    for compute in try allComputes() {
      let results = sample.run(compute)
      #expect(worstError(results.output, output) < 2e-6, label(compute))
      #expect(worstError(results.inputGradient, inputGradient) < 2e-6, label(compute))
      #expect(worstError(results.weightGradient, weightGradient) < 2e-6, label(compute))
      #expect(results.zeroPadding, label(compute))
    }
  }

  @Test(
    "Neither threads nor vector width change a bit",
    arguments: Case.dense + Case.winograd + Case.grouped + Case.depthwise)
  func sameBits(_ example: Case) throws {
    let sample = ConvolutionSample(try example.geometry())
    let alone = sample.run(try Compute())
    #expect(sample.run(try Compute(threads: 2)) == alone)
    #expect(sample.run(try Compute(threads: 3)) == alone)
    if KernelSet.avx512.isAvailable { #expect(sample.run(try Compute(kernels: .avx2)) == alone) }
    if KernelSet.avx2.isAvailable { #expect(sample.run(try Compute(kernels: .avx2, threads: 2)) == alone) }
  }
}
