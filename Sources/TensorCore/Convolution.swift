import CKernels

/// Two-dimensional convolution and its two gradients: any stride, padding, dilation and groups. Depthwise convolution
/// has its own kernels, 3×3 with stride 1 goes by Winograd's algorithm (`isWinograd` is the table), all others by direct
/// sums over taps. The choice depends on the shape alone.
///
/// Images are channel-padded NHWC, weights dense `[ky][kx][ci / groups][co]`. For each direct result the products are
/// added in the order ky, kx, ci (the input gradient: taps of its phase row by row, then co; the weight gradient: pixels
/// of a chunk in row order, then chunks), and Winograd's transforms and sums have a fixed order, too, so that neither
/// threads nor vector width change a bit. A linear layer is the 1×1 convolution of an image of one pixel. Results are
/// overwritten and never share memory with the inputs.
public enum Convolution {
  /// Floats of scratch, for all workers of the compute, that the operations need at most.
  public static func scratchFloats(_ g: ConvolutionGeometry, compute: Compute) -> Int {
    if g.isDepthwise { return DepthwiseConvolution.scratchFloats(g, compute: compute) }
    if g.isWinograd {
      let forward = g.forwardTaps(compute)
      return max(
        WinogradConvolution(forward, compute: compute).scratchFloats,
        WinogradConvolution(g.winogradGradientTaps(compute), compute: compute).scratchFloats,
        WinogradWeightGradient(forward, compute: compute).scratchFloats,
        WinogradGradients(g, compute: compute).scratchFloats)
    }
    var most = DirectConvolution(g.forwardTaps(compute), compute: compute).scratchFloats
    g.forEachGradientTaps(compute) { most = max(most, DirectConvolution($0, compute: compute).scratchFloats) }
    if g.isPointwise { most = max(most, PointwiseConvolution.scratchFloats(g, compute: compute)) }
    return max(
      most, ConvolutionWeightGradient.scratchFloats(g, compute: compute),
      ConvolutionWeightGradient.sharedScratchFloats(g, compute: compute))
  }

  /// Floats that `prepare` writes.
  public static func preparedFloats(_ g: ConvolutionGeometry, compute: Compute) -> Int {
    if g.isDepthwise { return DepthwiseConvolution.preparedFloats(g) }
    let taps = g.forwardTaps(compute)
    return g.isWinograd
      ? WinogradConvolution(taps, compute: compute).preparedFloats
      : DirectConvolution(taps, compute: compute).preparedFloats
  }

  /// Brings dense weights into the order that `forward` works with, once for many calls with the same geometry on the
  /// same instruction set.
  public static func prepare(
    _ g: ConvolutionGeometry, weight: UnsafePointer<Float>, prepared: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    if g.isDepthwise {
      DepthwiseConvolution.prepare(g, weight: weight, prepared: prepared, compute: compute)
    } else if g.isWinograd {
      WinogradConvolution(g.forwardTaps(compute), compute: compute).prepare(weight, into: prepared)
    } else {
      DirectConvolution(g.forwardTaps(compute), compute: compute).prepare(weight, into: prepared)
    }
  }

  /// output = the convolution of the input, and what the epilogue makes of it.
  ///
  /// - Parameter scratch: `scratchFloats` floats; the contents don't matter.
  public static func forward(
    _ g: ConvolutionGeometry, input: Source, weight: Weight, epilogue: Epilogue = Epilogue(),
    output: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    if g.isDepthwise {
      DepthwiseConvolution.forward(
        g, input: input, weight: weight, epilogue: epilogue, output: output, scratch: scratch, compute: compute)
    } else if g.isWinograd {
      WinogradConvolution(g.forwardTaps(compute), compute: compute).run(
        source: input, weight: weight, epilogue: epilogue, result: output, scratch: scratch)
    } else if g.isPointwise, PointwiseConvolution.serves(input, epilogue) {
      PointwiseConvolution.forward(
        g, input: input, weight: weight, epilogue: epilogue, output: output, scratch: scratch, compute: compute)
    } else {
      DirectConvolution(g.forwardTaps(compute), compute: compute).run(
        source: input, weight: weight, epilogue: epilogue, result: output, scratch: scratch)
    }
  }

  /// inputGradient = the gradient of the loss by the input, from that by the output, and what the epilogue makes of it
  /// (which has no statistics).
  public static func inputGradient(
    _ g: ConvolutionGeometry, outputGradient: Source, weight: UnsafePointer<Float>,
    epilogue: Epilogue = Epilogue(), inputGradient: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    precondition(epilogue.mean == nil, "an input gradient has no statistics")
    if g.stride != Extent(1), let reduction = epilogue.reduction {
      var phases = epilogue
      phases.reduction = nil
      self.inputGradient(
        g, outputGradient: outputGradient, weight: weight, epilogue: phases, inputGradient: inputGradient,
        scratch: scratch, compute: compute)
      return reduction.run(outputGradient: inputGradient, compute: compute)
    }
    if g.isDepthwise {
      DepthwiseConvolution.inputGradient(
        g, outputGradient: outputGradient, weight: weight, epilogue: epilogue, inputGradient: inputGradient,
        scratch: scratch, compute: compute)
    } else if g.isWinograd {
      WinogradConvolution(g.winogradGradientTaps(compute), compute: compute).run(
        source: outputGradient, weight: .dense(weight), epilogue: epilogue, result: inputGradient, scratch: scratch)
    } else if g.isPointwise, outputGradient.isPlain, epilogue.isBias, epilogue.bias == nil {
      PointwiseConvolution.inputGradient(
        g, outputGradient: outputGradient.job.image, weight: weight, inputGradient: inputGradient, scratch: scratch,
        compute: compute)
    } else {
      g.forEachGradientTaps(compute) {
        DirectConvolution($0, compute: compute).run(
          source: outputGradient, weight: .dense(weight), epilogue: epilogue, result: inputGradient, scratch: scratch)
      }
    }
  }

  /// weightGradient (dense) = the gradient of the loss by the weights, summed over the batch.
  public static func weightGradient(
    _ g: ConvolutionGeometry, input: Source, outputGradient: Source, weightGradient: UnsafeMutablePointer<Float>,
    scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    if g.isDepthwise {
      DepthwiseConvolution.weightGradient(
        g, input: input, outputGradient: outputGradient, weightGradient: weightGradient, scratch: scratch,
        compute: compute)
    } else if g.isWinograd {
      WinogradWeightGradient(g.forwardTaps(compute), compute: compute).run(
        input: input, outputGradient: outputGradient, weightGradient: weightGradient, scratch: scratch)
    } else if g.isPointwise, input.isPlain, outputGradient.isPlain {
      PointwiseConvolution.weightGradient(
        g, input: input.job.image, outputGradient: outputGradient.job.image, weightGradient: weightGradient,
        scratch: scratch, compute: compute)
    } else {
      ConvolutionWeightGradient.run(
        g, input: input, outputGradient: outputGradient, weightGradient: weightGradient, scratch: scratch,
        compute: compute)
    }
  }

  /// Both gradients from the same sources, with the bits of the two calls; where it can, each source is made once.
  public static func gradients(
    _ g: ConvolutionGeometry, input: Source, outputGradient: Source, weight: UnsafePointer<Float>,
    epilogue: Epilogue = Epilogue(), inputGradient: UnsafeMutablePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>, scratch: UnsafeMutablePointer<Float>, compute: Compute
  ) {
    if g.isWinograd && g.padding == Extent(1) {
      return WinogradGradients(g, compute: compute).run(
        source: input, outputGradient: outputGradient, weight: weight, epilogue: epilogue,
        inputGradient: inputGradient, weightGradient: weightGradient, scratch: scratch)
    }
    let together = g.isDepthwise ? DepthwiseConvolution.gradients : ConvolutionWeightGradient.gradients
    if together(
      g, input, outputGradient, weight, epilogue, inputGradient, weightGradient, scratch, compute)
    {
      return
    }
    self.weightGradient(
      g, input: input, outputGradient: outputGradient, weightGradient: weightGradient, scratch: scratch,
      compute: compute)
    self.inputGradient(
      g, outputGradient: outputGradient, weight: weight, epilogue: epilogue, inputGradient: inputGradient,
      scratch: scratch, compute: compute)
  }
}

extension ConvolutionGeometry {
  /// The axes of the forward convolution.
  var forwardAxes: (y: TapAxis, x: TapAxis) {
    (
      .forward(
        kernel: kernel.height, stride: stride.height, padding: padding.height, dilation: dilation.height,
        output: outputHeight),
      .forward(
        kernel: kernel.width, stride: stride.width, padding: padding.width, dilation: dilation.width,
        output: outputWidth)
    )
  }

  /// Calls the body with the axes of each phase of the input gradient that has a pixel.
  func forEachGradientPhase(_ body: (_ y: TapAxis, _ x: TapAxis) -> Void) {
    for phaseY in 0..<min(stride.height, inputHeight) {
      let y = TapAxis.gradient(
        kernel: kernel.height, stride: stride.height, padding: padding.height, dilation: dilation.height,
        input: inputHeight, phase: phaseY)
      for phaseX in 0..<min(stride.width, inputWidth) {
        let x = TapAxis.gradient(
          kernel: kernel.width, stride: stride.width, padding: padding.width, dilation: dilation.width,
          input: inputWidth, phase: phaseX)
        body(y, x)
      }
    }
  }

  func forwardTaps(_ compute: Compute) -> TapConvolution {
    let axes = forwardAxes
    return TapConvolution(
      self, source: input, result: output, y: axes.y, x: axes.x, transposed: false, compute: compute)
  }

  /// The convolutions that the input gradient consists of, one for each remainder of the input position by the stride.
  func forEachGradientTaps(_ compute: Compute, _ body: (TapConvolution) -> Void) {
    forEachGradientPhase { y, x in
      body(TapConvolution(self, source: output, result: input, y: y, x: x, transposed: true, compute: compute))
    }
  }
}
