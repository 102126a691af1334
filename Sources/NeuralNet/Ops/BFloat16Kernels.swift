import TensorCore

/// The kernels of a linear layer and its gradients where its operands are rounded to bfloat16.
extension Kernel {
  /// `x, weight [, bias] -> y`.
  static func bfloat16Linear(_ site: KernelSite) -> Kernel {
    let products = BFloat16Linear(site, input: site.inputs[0], output: site.outputs[0])
    let hasBias = site.inputs.count > 2, compute = site.compute
    return Kernel(scratchFloats: products.scratchFloats(compute: compute)) { call in
      products.forward(
        input: call.input(0), weight: call.input(1), bias: hasBias ? call.input(2) : nil, output: call.output(0),
        scratch: call.scratch, compute: compute)
    }
  }

  /// `dy, weight -> dx`.
  static func bfloat16LinearInputGradient(_ site: KernelSite) -> Kernel {
    let products = BFloat16Linear(site, input: site.outputs[0], output: site.inputs[0]), compute = site.compute
    return Kernel(scratchFloats: products.scratchFloats(compute: compute)) { call in
      products.inputGradient(
        outputGradient: call.input(0), weight: call.input(1), inputGradient: call.output(0), scratch: call.scratch,
        compute: compute)
    }
  }

  /// `x, dy -> dweight`.
  static func bfloat16LinearWeightGradient(_ site: KernelSite) -> Kernel {
    let products = BFloat16Linear(site, input: site.inputs[0], output: site.inputs[1]), compute = site.compute
    return Kernel(scratchFloats: products.scratchFloats(compute: compute)) { call in
      products.weightGradient(
        input: call.input(0), outputGradient: call.input(1), weightGradient: call.output(0), scratch: call.scratch,
        compute: compute)
    }
  }
}

extension BFloat16Linear {
  fileprivate init(_ site: KernelSite, input: ValueType, output: ValueType) {
    self.init(rows: site.rows(input), inputs: input.shape.channels, outputs: output.shape.channels)
  }
}
