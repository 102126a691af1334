import Canonical
import TensorCore

// Reductions over axes. An axis counts from 1 over the shape as printed, or from −1 at the end; `{}` means all axes.

extension Op {
  static let sum: Op = reduction("sum", "Sum over axes, in double precision.", onnx: "ReduceSum") { site in
    let layouts = ReductionLayouts(site), count = site.elements(site.outputs[0])
    return Kernel(scratchFloats: 2 * count + 2) { call in
      Strided.sum(
        call.input(0), layouts.input, result: call.output(0), layouts.output, resultFloats: count,
        scratch: call.scratch)
    }
  } gradient: { site in
    [try site.spread(site.outputGradient)]
  }

  /// The mean over axes; it expands to a sum and a factor where the number of elements is known ahead.
  static let mean: Op = reduction("mean", "Mean over axes.", onnx: "ReduceMean") { site in
    let layouts = ReductionLayouts(site), count = site.elements(site.outputs[0]), compute = site.compute
    let factor = Float(layouts.outputCount) / Float(max(1, layouts.input.count))
    return Kernel(scratchFloats: 2 * count + 2) { call in
      Strided.sum(
        call.input(0), layouts.input, result: call.output(0), layouts.output, resultFloats: count,
        scratch: call.scratch)
      Elementwise.scale(call.output(0), by: factor, result: call.output(0), count: count, compute: compute)
    }
  } gradient: { site in
    // The mean of the spread gradient's ones is what each element has a share of.
    let spread = try site.spread(site.outputGradient)
    return [try site.apply(.shareOfMean, [spread, site.inputs[0]], site.attributes)[0]]
  }

  /// A gradient divided by the number of elements that a mean was taken over, which may depend on the batch.
  static let shareOfMean: Op = Op(
    "share_of_mean", "A value over the number of elements of a mean.", role: .derived, arity: .exactly(2),
    paddingLanes: .carried, infer: { [$0.input] },
    kernel: { site in
      let axes = site.attributes.integers("axes"), extents = site.inputs[1].shape.extents(batch: site.batch)
      let factor = 1 / Float(axes.reduce(1) { $0 * extents[$1 - 1] })
      let count = site.elements(site.outputs[0]), compute = site.compute
      return Kernel { call in
        Elementwise.scale(call.input(0), by: factor, result: call.output(0), count: count, compute: compute)
      }
    },
    gradient: { site in
      [try site.apply(.shareOfMean, [site.outputGradient, site.inputs[1]], site.attributes)[0], nil]
    })

  static let reduceMax: Op = extremum("reduce_max", "Greatest over axes; ties share the gradient.", 1, "ReduceMax")
  static let reduceMin: Op = extremum("reduce_min", "Least over axes; ties share the gradient.", -1, "ReduceMin")

  /// The position of the greatest element along one axis, from 1, the first of equal ones.
  static let argmax: Op = reduction(
    "argmax", "Position of the greatest over axes, from 1.", onnx: "ArgMax"
  ) {
    extremumKernel($0, sign: 1, positions: true)
  } gradient: { _ in
    [nil]
  }

  private static func extremum(_ name: String, _ documentation: String, _ sign: Float, _ onnx: String) -> Op {
    reduction(name, documentation, onnx: onnx) {
      extremumKernel($0, sign: sign, positions: false)
    } gradient: { site in
      let isTaken = try site.apply(.equal, [site.inputs[0], try site.spread(site.outputs[0])])[0]
      let ties = try site.apply(.sum, [isTaken], site.attributes)[0]
      let share = try site.spread(try site.divide(site.outputGradient, ties))
      return [try site.multiply(isTaken, share)]
    }
  }

  private static func extremumKernel(_ site: KernelSite, sign: Float, positions: Bool) -> Kernel {
    let layouts = ReductionLayouts(site), count = site.elements(site.outputs[0])
    return Kernel(scratchFloats: 2 * count) { call in
      Strided.extremum(
        call.input(0), layouts.input, sign: sign, values: positions ? call.scratch + count : call.output(0),
        positions: positions ? call.output(0) : nil, layouts.output, resultFloats: count, seen: call.scratch)
    }
  }

  private static func reduction(
    _ name: String, _ documentation: String, onnx: String,
    kernel: @escaping @Sendable (KernelSite) throws -> Kernel,
    gradient: @escaping @Sendable (GradientSite) throws -> [Symbol?]
  ) -> Op {
    Op(
      name, documentation,
      attributes: [
        AttributeSchema("axes", .integers, standard: [], "the axes, from 1, or from -1 at the end; all by default"),
        AttributeSchema("keep", .boolean, standard: false, "keep them with extent 1"),
      ],
      paddingLanes: .carried, resolve: resolveAxes, infer: { [ValueType(try reducedShape($0))] }, kernel: kernel,
      gradient: gradient, onnx: onnx == "ArgMax" ? .argMax : .reduction(onnx))
  }

  /// Axes from 1, ascending, each once.
  private static func resolveAxes(_ use: OpUse) throws -> Attributes {
    let given = use.attributes.integers("axes"), shape = use.input.shape
    let axes = try given.isEmpty ? Array(0..<shape.rank) : given.map { try use.axis($0, of: shape) }
    if let twice = axes.indices.first(where: { axes[..<$0].contains(axes[$0]) }) {
      throw use.fault("an axis is given twice", expected: "each axis of \(shape) once", got: "\(given[twice])")
    }
    return use.attributes.setting("axes", .array(axes.sorted().map { .int($0 + 1) }))
  }

  private static func reducedShape(_ use: OpUse) throws -> Shape {
    let axes = Set(use.attributes.integers("axes").map { $0 - 1 }), keep = use.attributes.boolean("keep")
    let extents = use.input.shape.symbolic
    let kept: [Int?] = extents.indices.flatMap { axis -> [Int?] in
      axes.contains(axis) ? (keep ? [1] : []) : [extents[axis]]
    }
    guard let shape = Shape(symbolic: kept) else { throw use.fault("the batch must stay the first axis") }
    return shape
  }
}

/// How a reduction's input and output lie: the output has the input's dimensions, and stride 0 along reduced axes.
private struct ReductionLayouts {
  let input: StridedLayout
  let output: StridedLayout
  let outputCount: Int

  init(_ site: KernelSite) {
    input = site.inputs[0].shape.layout(batch: site.batch)
    let axes = Set(site.attributes.integers("axes").map { $0 - 1 }), keep = site.attributes.boolean("keep")
    let own = site.outputs[0].shape.layout(batch: site.batch)
    outputCount = own.count
    var position = 0, strides: [Int] = []
    for axis in input.dimensions.indices {
      if axes.contains(axis) {
        strides.append(0)
        if keep { position += 1 }
      } else {
        strides.append(own.strides[position])
        position += 1
      }
    }
    output = StridedLayout(dimensions: input.dimensions, strides: strides)
  }
}

extension Attributes {
  /// The attributes of a reduction over axes, from 0.
  static func axes(_ axes: [Int], keeping keep: Bool) -> Attributes {
    Attributes(["axes": .array(axes.map { .int($0 + 1) }), "keep": .bool(keep)])
  }
}

extension GradientSite {
  /// A value in the shape of a reduction's output, repeated to the shape of its input.
  fileprivate func spread(_ value: Symbol) throws -> Symbol {
    let input = inputs[0], axes = Set(attributes.integers("axes").map { $0 - 1 })
    let extents: [Int?] = input.shape.symbolic.enumerated().map { axes.contains($0) ? 1 : $1 }
    var kept = value
    if let shape = Shape(symbolic: extents), shape != value.shape {
      kept = try apply(.reshape, [value], .dimensions(of: shape))[0]
    }
    return try apply(.repeated, [kept, input])[0]
  }
}

extension ONNXMapping {
  /// A reduction over axes, which opset 17 takes as an input in `ReduceSum` and as an attribute in the others.
  fileprivate static func reduction(_ type: String) -> ONNXMapping {
    ONNXMapping(type) { site in
      let axes = site.attributes.integers("axes").map { $0 - 1 }, keep = site.attributes.boolean("keep")
      var x = site.native(0)
      if axes.isEmpty { return x }
      let rest = x.axes.filter { !axes.contains($0) }
      if !keep, rest != rest.sorted() { x = ONNXValue(site.plain(0), Array(0..<x.axes.count)) }
      let places = x.axes.indices.filter { axes.contains(x.axes[$0]) }
      let isSum = type == "ReduceSum"
      var attributes: [String: JSONValue] = ["keepdims": keep ? 1 : 0]
      if !isSum { attributes["axes"] = .array(places.map { .int($0) }) }
      let y = site.add(type, [x.name] + (isSum ? [site.integers(places, "axes")] : []), attributes)
      return keep ? ONNXValue(y, x.axes) : site.plain(y)
    }
  }

  /// Over one axis: several are brought to the end and taken as one.
  fileprivate static let argMax = ONNXMapping("ArgMax") { site in
    let axes = site.attributes.integers("axes").map { $0 - 1 }, extents = site.shape(0).symbolic
    let rest = extents.indices.filter { !axes.contains($0) }
    let rows = site.add(
      "Reshape",
      [site.permuted(0, rest + axes), site.integers(rest.map { extents[$0] ?? 0 } + [-1], "rows")])
    let position = site.add("ArgMax", [rows], ["axis": -1, "keepdims": 0])
    let result = site.fromPositions(position)
    guard site.attributes.boolean("keep") else { return site.plain(result) }
    let shape = extents.indices.map { axes.contains($0) ? 1 : extents[$0] ?? 0 }
    return site.plain(site.add("Reshape", [result, site.integers(shape, "shape")]))
  }
}
