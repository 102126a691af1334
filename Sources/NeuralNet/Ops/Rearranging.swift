import Canonical
import TensorCore

// Ops that only move elements: each is one strided copy, and so is its gradient.

extension Op {
  /// The axes in another order. The batch stays first.
  static let transpose: Op = Op(
    "transpose", "The axes in another order.",
    attributes: [AttributeSchema("order", .integers, "for each axis of the result the axis of the input, from 1")],
    paddingLanes: .carried,
    infer: { use in
      let order = use.attributes.integers("order"), extents = use.input.shape.symbolic
      guard order.sorted() == Array(1...max(1, extents.count)) else {
        throw use.fault("wrong order of axes", expected: "1 to \(extents.count), each once", got: "\(order)")
      }
      guard let shape = Shape(symbolic: order.map { extents[$0 - 1] }) else {
        throw use.fault("the batch must stay the first axis", got: "\(order)")
      }
      return [ValueType(shape)]
    },
    kernel: { site in
      let order = site.attributes.integers("order").map { $0 - 1 }
      return moving(site, from: site.inputs[0].shape.layout(batch: site.batch).permuted(order))
    },
    gradient: { site in
      let order = site.attributes.integers("order")
      let inverse = (1...order.count).map { axis in JSONValue.int((order.firstIndex(of: axis) ?? 0) + 1) }
      return try site.apply(.transpose, [site.outputGradient], Attributes(["order": .array(inverse)]))
    },
    onnx: ONNXMapping("Transpose") { site in
      let order = site.attributes.integers("order").map { JSONValue.int($0 - 1) }
      return site.plain(site.add("Transpose", [site.plain(0)], ["perm": .array(order)]))
    })

  /// The elements from `start` to `stop` along an axis, both counted from 1 and included; negative from the end.
  static let slice: Op = Op(
    "slice", "A part along one axis.",
    attributes: [
      AttributeSchema("axis", .integer(-8...8), standard: -1, "from 1, or from -1 at the end"),
      AttributeSchema("start", .integer(-largestExtent...largestExtent), standard: 1, "first element"),
      AttributeSchema("stop", .integer(-largestExtent...largestExtent), standard: -1, "last element"),
    ],
    paddingLanes: .carried, resolve: resolveSlice,
    infer: { use in
      var extents = use.input.shape.symbolic
      extents[use.attributes.integer("axis") - 1] = use.attributes.integer("stop") - use.attributes.integer("start") + 1
      guard let shape = Shape(symbolic: extents) else { throw use.fault("the batch can't be sliced") }
      return [ValueType(shape)]
    },
    kernel: { site in
      let layout = site.inputs[0].shape.layout(batch: site.batch)
      let start = layout.strides[site.attributes.integer("axis") - 1] * (site.attributes.integer("start") - 1)
      return moving(site, from: layout.block(site.outputs[0].shape.extents(batch: site.batch)), sourceOffset: start)
    },
    gradient: { site in
      let axis = site.attributes.integer("axis"), extent = site.inputs[0].shape.symbolic[axis - 1] ?? 0
      return try site.apply(
        .pad, [site.outputGradient],
        .padding(
          axis: axis, rank: site.inputs[0].shape.rank, before: site.attributes.integer("start") - 1,
          after: extent - site.attributes.integer("stop")))
    },
    onnx: ONNXMapping("Slice") { site in
      let x = site.native(0), axis = x.axes.firstIndex(of: site.attributes.integer("axis") - 1) ?? 0
      let start = site.integers([site.attributes.integer("start") - 1], "starts")
      let end = site.integers([site.attributes.integer("stop")], "ends")
      return ONNXValue(site.add("Slice", [x.name, start, end, site.integers([axis], "axes")]), x.axes)
    })

  /// Zeros, or another value, around the elements.
  static let pad: Op = Op(
    "pad", "A border of one value.",
    attributes: [
      AttributeSchema("before", .integers, "elements before, for each axis"),
      AttributeSchema("after", .integers, "elements after, for each axis"),
      AttributeSchema("value", .number(-.infinity ... .infinity), standard: 0, "of the border"),
    ],
    paddingLanes: .cleared,
    infer: { use in
      let before = use.attributes.integers("before"), after = use.attributes.integers("after")
      let extents = use.input.shape.symbolic
      guard before.count == extents.count, after.count == extents.count,
        (before + after).allSatisfy((0...largestExtent).contains)
      else {
        throw use.fault(
          "wrong padding",
          expected: "\(extents.count) numbers from 0 to \(largestExtent) before and after, for \(use.input.shape)",
          got: "\(before) and \(after)")
      }
      if use.input.shape.hasBatch, before[0] + after[0] > 0 { throw use.fault("the batch can't be padded") }
      let padded: [Int?] = extents.indices.map { axis in extents[axis].map { $0 + before[axis] + after[axis] } }
      return [ValueType(Shape(symbolic: padded) ?? use.input.shape)]
    },
    kernel: { site in
      let layout = site.outputs[0].shape.layout(batch: site.batch), from = site.inputs[0].shape
      let offset = layout.offset(of: site.attributes.integers("before"))
      return moving(
        site, from: from.layout(batch: site.batch), to: layout.block(from.extents(batch: site.batch)),
        targetOffset: offset, border: Float(site.attributes.number("value")))
    },
    gradient: { site in
      // Back to the inside, one axis after the other.
      var gradient = site.outputGradient
      let before = site.attributes.integers("before"), after = site.attributes.integers("after")
      for axis in before.indices where before[axis] + after[axis] > 0 {
        let extent = gradient.shape.symbolic[axis] ?? 0
        gradient = try site.apply(
          .slice, [gradient],
          Attributes([
            "axis": .int(axis + 1), "start": .int(before[axis] + 1), "stop": .int(extent - after[axis]),
          ]))[0]
      }
      return [gradient]
    },
    onnx: ONNXMapping("Pad") { site in
      let x = site.native(0), (before, after) = (site.attributes.integers("before"), site.attributes.integers("after"))
      let pads = site.integers(x.axes.map { before[$0] } + x.axes.map { after[$0] }, "pads")
      let value = site.number(site.attributes.number("value"), "value")
      return ONNXValue(site.add("Pad", [x.name, pads, value], ["mode": "constant"]), x.axes)
    })

  /// A value repeated to the shape of another: `x, like`.
  static let repeated: Op = Op(
    "repeated", "A value repeated to the shape of another.", role: .derived, arity: .exactly(2),
    paddingLanes: .carried, infer: { [$0.inputs[1]] },
    kernel: { site in
      let layout = site.outputs[0].shape.layout(batch: site.batch)
      return moving(site, from: site.inputs[0].shape.layout(batch: site.batch).broadcast(to: layout.dimensions))
    },
    gradient: { site in [try site.reduced(site.outputGradient, to: site.inputs[0]), nil] })

  /// The value, but a constant for gradients.
  static let stopGradient: Op = Op(
    "stop_gradient", "The value, constant for gradients.", paddingLanes: .carried, infer: { [$0.input] },
    kernel: { site in
      let count = site.elements(site.outputs[0]), compute = site.compute
      return Kernel { call in
        Elementwise.copy(call.input(0), result: call.output(0), count: count, compute: compute)
      }
    }, gradient: { _ in [nil] }, onnx: ONNXMapping("Identity") { $0.native(0) })

  /// A strided copy of the first input into the output.
  private static func moving(
    _ site: KernelSite, from: StridedLayout, sourceOffset: Int = 0, to target: StridedLayout? = nil,
    targetOffset: Int = 0, border: Float = 0
  ) -> Kernel {
    let shape = site.outputs[0].shape, own = shape.layout(batch: site.batch), layout = target ?? own
    let count = site.elements(site.outputs[0]), channels = shape.channels, padding = shape.paddingLanes
    return Kernel { call in
      if padding > 0 || target != nil { call.output(0).update(repeating: border, count: count) }
      if border != 0, padding > 0 {
        for row in 0..<(count / (channels + padding)) {
          (call.output(0) + (row * (channels + padding) + channels)).update(repeating: 0, count: padding)
        }
      }
      Strided.copy(call.input(0) + sourceOffset, from, to: call.output(0) + targetOffset, layout)
    }
  }

  private static func resolveSlice(_ use: OpUse) throws -> Attributes {
    let axis = try use.axis(use.attributes.integer("axis"), of: use.input.shape)
    guard let extent = use.input.shape.symbolic[axis] else { throw use.fault("the batch can't be sliced") }
    func position(_ value: Int) -> Int { value < 0 ? extent + 1 + value : value }
    let start = position(use.attributes.integer("start")), stop = position(use.attributes.integer("stop"))
    guard (1...extent).contains(start), (start...extent).contains(stop) else {
      throw use.fault(
        "there is no such part", expected: "1 ≤ start ≤ stop ≤ \(extent)",
        got: "\(use.attributes.integer("start")) to \(use.attributes.integer("stop"))")
    }
    return use.attributes.setting("axis", .int(axis + 1)).setting("start", .int(start)).setting("stop", .int(stop))
  }
}

extension Attributes {
  /// The attributes of zero padding along one axis, from 1.
  static func padding(axis: Int, rank: Int, before: Int, after: Int) -> Attributes {
    func list(_ count: Int) -> JSONValue { .array((1...rank).map { .int($0 == axis ? count : 0) }) }
    return Attributes(["before": list(before), "after": list(after), "value": 0])
  }
}
