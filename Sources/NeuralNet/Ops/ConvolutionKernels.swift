import TensorCore

/// The kernels that a convolution and a linear layer share: forward, and the gradients of input and weight.
extension Kernel {
  /// `x, weight [, bias] -> y`.
  static func convolution(_ geometry: ConvolutionGeometry, _ site: KernelSite) -> Kernel {
    let hasBias = site.inputs.count > 2, compute = site.compute
    return Kernel(scratchFloats: Convolution.scratchFloats(geometry, compute: compute)) { call in
      Convolution.forward(
        geometry, input: Convolution.Source(call.input(0)), weight: .dense(call.input(1)),
        epilogue: Convolution.Epilogue(bias: hasBias ? call.input(2) : nil), output: call.output(0),
        scratch: call.scratch, compute: compute)
    }
  }

  /// `dy, weight -> dx`.
  static func convolutionInputGradient(_ geometry: ConvolutionGeometry, _ site: KernelSite) -> Kernel {
    let compute = site.compute
    return Kernel(scratchFloats: Convolution.scratchFloats(geometry, compute: compute)) { call in
      Convolution.inputGradient(
        geometry, outputGradient: Convolution.Source(call.input(0)), weight: call.input(1),
        inputGradient: call.output(0),
        scratch: call.scratch, compute: compute)
    }
  }

  /// `x, dy -> dweight`.
  static func convolutionWeightGradient(_ geometry: ConvolutionGeometry, _ site: KernelSite) -> Kernel {
    let compute = site.compute
    return Kernel(scratchFloats: Convolution.scratchFloats(geometry, compute: compute)) { call in
      Convolution.weightGradient(
        geometry, input: Convolution.Source(call.input(0)), outputGradient: Convolution.Source(call.input(1)),
        weightGradient: call.output(0), scratch: call.scratch, compute: compute)
    }
  }
}
