/// One axis of a convolution in the form that the kernels run: for the results `resultFirst + i · resultStep`, tap t
/// reads the source at `first + t · step + i · sourceStep` and multiplies by kernel position
/// `kernelFirst + t · kernelStep`.
struct TapAxis {
  var first: Int, step: Int, count: Int
  var kernelFirst: Int, kernelStep: Int
  var sourceStep: Int
  var resultFirst: Int, resultStep: Int, resultCount: Int

  /// The axis of a forward convolution.
  static func forward(kernel: Int, stride: Int, padding: Int, dilation: Int, output: Int) -> TapAxis {
    TapAxis(
      first: -padding, step: dilation, count: kernel, kernelFirst: 0, kernelStep: 1, sourceStep: stride,
      resultFirst: 0, resultStep: 1, resultCount: output)
  }

  /// The axis of an input gradient, for the input positions `phase, phase + stride, …`.
  ///
  /// Input position i receives from output o through tap k when i = o · stride − padding + k · dilation. For one phase
  /// the taps that fit are an arithmetic progression and the outputs move by one from an input to the next, so each
  /// phase is a convolution with step 1 over the output gradient as it is, without zeros put in between.
  static func gradient(kernel: Int, stride: Int, padding: Int, dilation: Int, input: Int, phase: Int) -> TapAxis {
    let kernelStep = stride / greatestCommonDivisor(stride, dilation)
    let fitting = (0..<min(kernel, kernelStep)).first { (phase + padding - $0 * dilation) % stride == 0 }
    let results = max(0, (input - phase + stride - 1) / stride)
    guard let fitting else {
      return TapAxis(
        first: 0, step: 0, count: 0, kernelFirst: 0, kernelStep: 1, sourceStep: 1, resultFirst: phase,
        resultStep: stride, resultCount: results)
    }
    return TapAxis(
      first: (phase + padding - fitting * dilation) / stride, step: -(kernelStep * dilation / stride),
      count: (kernel - fitting + kernelStep - 1) / kernelStep, kernelFirst: fitting, kernelStep: kernelStep,
      sourceStep: 1, resultFirst: phase, resultStep: stride, resultCount: results)
  }

  /// The same taps in the order of the source positions that they read.
  var ascending: TapAxis {
    guard step < 0 else { return self }
    var axis = self
    axis.first += (count - 1) * step
    axis.kernelFirst += (count - 1) * kernelStep
    (axis.step, axis.kernelStep) = (-step, -kernelStep)
    return axis
  }

  /// The lowest source position of result 0.
  var low: Int { count > 0 ? min(first, first + (count - 1) * step) : 0 }

  /// Source positions that `results` consecutive results read, from the lowest to the highest.
  func extent(results: Int) -> Int { (results - 1) * sourceStep + max(0, count - 1) * abs(step) + 1 }

  /// Each result reads the source position of its own number and nothing else.
  var isIdentity: Bool { count == 1 && first == 0 && sourceStep == 1 && resultFirst == 0 && resultStep == 1 }
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }
