import TensorCore

extension Op {
  /// The product of two values of one shape.
  static let multiply: Op = Op(
    "multiply", "Product of two values.", role: .derived, arity: .exactly(2), paddingLanes: .carried,
    inPlace: .anyInput,
    infer: { use in
      guard use.inputs[1] == use.input else {
        throw use.fault(
          "input 2 has another shape", expected: use.input.shape.description, got: use.inputs[1].shape.description)
      }
      return [use.input]
    },
    kernel: { site in
      let count = site.elements(site.inputs[0]), compute = site.compute
      return Kernel { call in
        Elementwise.multiply(
          call.input(0), call.input(1), result: call.output(0), count: count, compute: compute)
      }
    },
    gradient: { site in
      let dy = site.outputGradient
      return [
        try site.apply(.multiply, [dy, site.inputs[1]], for: 0),
        try site.apply(.multiply, [dy, site.inputs[0]], for: 1),
      ]
    })
}
