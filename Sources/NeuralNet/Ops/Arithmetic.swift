import CKernels
import Canonical
import TensorCore

// Functions of two values, element by element, with NumPy's broadcasting.

extension Op {
  static let sub: Op = arithmetic("sub", "a - b.", NR_SUB, onnx: "Sub") { site in
    [site.outputGradient, try site.scale(site.outputGradient, -1)]
  }
  static let mul: Op = arithmetic("mul", "a · b.", NR_MUL, onnx: "Mul") { site in
    [
      site.isWanted[0] ? try site.multiply(site.outputGradient, site.inputs[1]) : nil,
      site.isWanted[1] ? try site.multiply(site.outputGradient, site.inputs[0]) : nil,
    ]
  }
  static let div: Op = arithmetic("div", "a / b.", NR_DIV, keepsZero: false, onnx: "Div") { site in
    let (dy, b) = (site.outputGradient, site.inputs[1])
    let da = try site.divide(dy, b)
    return [da, site.isWanted[1] ? try site.scale(try site.multiply(da, site.outputs[0]), -1) : nil]
  }
  static let minimum: Op = arithmetic("minimum", "The lesser of a and b.", NR_MINIMUM, onnx: "Min") {
    try extremumGradient($0, .lessEqual)
  }
  static let maximum: Op = arithmetic("maximum", "The greater of a and b.", NR_MAXIMUM, onnx: "Max") {
    try extremumGradient($0, .greaterEqual)
  }

  static let equal: Op = comparison("equal", "1 where a = b, else 0.", NR_EQUAL, onnx: "Equal")
  static let less: Op = comparison("less", "1 where a < b, else 0.", NR_LESS, onnx: "Less")
  static let lessEqual: Op = comparison("less_equal", "1 where a ≤ b, else 0.", NR_LESS_EQUAL, onnx: "LessOrEqual")
  static let greater: Op = comparison("greater", "1 where a > b, else 0.", NR_LESS, swapped: true, onnx: "Greater")
  static let greaterEqual: Op = comparison(
    "greater_equal", "1 where a ≥ b, else 0.", NR_LESS_EQUAL, swapped: true, onnx: "GreaterOrEqual")

  /// `a` where the mask is 1, `b` where it is 0: `b + mask · (a − b)` would not do where one of them is infinite.
  static let choose: Op = Op(
    "where", "a where the mask isn't 0, else b: mask, a, b, broadcast.", arity: .exactly(3), paddingLanes: .carried,
    infer: { use in
      var shape = use.input.shape
      for (index, other) in use.inputs.enumerated().dropFirst() {
        guard let together = shape.broadcast(with: other.shape) else {
          throw use.fault(
            "input \(index + 1) has another shape", expected: shape.description, got: other.shape.description)
        }
        shape = together
      }
      return [ValueType(shape)]
    },
    kernel: { site in
      let count = site.elements(site.outputs[0])
      return Kernel { call in
        let (mask, a, b, result) = (call.input(0), call.input(1), call.input(2), call.output(0))
        for index in 0..<count { result[index] = mask[index] != 0 ? a[index] : b[index] }
      }
    },
    expansion: { site in
      // A value of the whole shape, for its shape alone.
      let whole = try site.inputs.dropFirst().reduce(site.inputs[0]) { whole, other in
        whole.shape == other.shape ? whole : try site.apply(.plus, [whole, other])[0]
      }
      let inputs = try site.inputs.map { input in
        input.shape == whole.shape ? input : try site.apply(.repeated, [input, whole])[0]
      }
      return try site.apply(.choose, inputs)
    },
    gradient: { site in
      let mask = site.inputs[0], dy = site.outputGradient
      let zero = try site.scale(dy, 0)
      return [nil, try site.apply(.choose, [mask, dy, zero])[0], try site.apply(.choose, [mask, zero, dy])[0]]
    }, onnx: .choose)

  /// The sum of two values of different shapes; `add` of one shape is a plain sum.
  static let plus: Op = arithmetic("plus", "a + b, broadcast.", role: .derived, NR_ADD, onnx: "Add") { site in
    [site.outputGradient, site.outputGradient]
  }

  /// The incoming gradient to the one that was taken, half to each where they are equal, as in PyTorch.
  private static func extremumGradient(_ site: GradientSite, _ comparison: Op) throws -> [Symbol?] {
    let (a, b, dy) = (site.inputs[0], site.inputs[1], site.outputGradient)
    let ties = try site.scale(try site.apply(.equal, [a, b])[0], -0.5)
    func share(_ x: Symbol, _ y: Symbol) throws -> Symbol {
      let taken = try site.apply(comparison, [x, y])[0]
      return try site.multiply(dy, try site.apply(.add, [taken, ties])[0])
    }
    return [try share(a, b), try share(b, a)]
  }

  private static func comparison(
    _ name: String, _ documentation: String, _ function: nr_binary, swapped: Bool = false, onnx: String
  ) -> Op {
    arithmetic(
      name, documentation, function, swapped: swapped, keepsZero: false, onnx: onnx, isComparison: true
    ) { _ in [nil, nil] }
  }

  private static func arithmetic(
    _ name: String, _ documentation: String, role: Role = .layer, _ function: nr_binary, swapped: Bool = false,
    keepsZero: Bool = true, onnx: String, isComparison: Bool = false,
    gradient: @escaping @Sendable (GradientSite) throws -> [Symbol?]
  ) -> Op {
    Op(
      name, documentation, role: role, arity: .exactly(2), paddingLanes: keepsZero ? .carried : .cleared,
      infer: { [ValueType(try $0.broadcast())] },
      kernel: { site in
        let (a, b) = swapped ? (1, 0) : (0, 1)
        return broadcasting(function, site, a, b, isFlat: keepsZero)
      },
      gradient: { site in
        try zip(try gradient(site), site.inputs).map { gradient, input in
          try gradient.map { try site.reduced($0, to: input) }
        }
      }, onnx: isComparison ? .truth(onnx) : ONNXMapping(onnx))
  }

  private static func broadcasting(
    _ function: nr_binary, _ site: KernelSite, _ a: Int, _ b: Int, isFlat: Bool
  ) -> Kernel {
    let compute = site.compute, type = site.outputs[0], count = site.elements(type)
    if isFlat, site.inputs[0] == type, site.inputs[1] == type {
      return Kernel { call in
        Elementwise.binary(
          function, call.input(a), call.input(b), result: call.output(0), count: count, compute: compute)
      }
    }
    let layout = type.shape.layout(batch: site.batch)
    let layouts = site.inputs.map { $0.shape.layout(batch: site.batch) }
    return Kernel { call in
      if type.shape.paddingLanes > 0 { call.output(0).update(repeating: 0, count: count) }
      Strided.binary(
        function, call.input(a), layouts[a], call.input(b), layouts[b], result: call.output(0), layout,
        compute: compute)
    }
  }
}

extension ONNXMapping {
  /// A comparison, whose truth values become 1 and 0.
  fileprivate static func truth(_ type: String) -> ONNXMapping {
    ONNXMapping(type) { site in
      let (names, axes) = site.together()
      return ONNXValue(site.cast(site.add(type, names), to: .float), axes)
    }
  }

  fileprivate static let choose = ONNXMapping("Where") { site in
    let (names, axes) = site.together()
    let condition = site.cast(names[0], to: .bool)
    return ONNXValue(site.add("Where", [condition, names[1], names[2]]), axes)
  }
}
