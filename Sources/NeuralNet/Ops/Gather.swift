import Canonical
import Diagnostics
import TensorCore

extension Op {
  /// Elements of `x` by their positions along one axis, which count from 1: `y[…, i, …] = x[…, indices[…, i, …], …]`.
  ///
  /// `x` and `indices` have the same number of axes, and beside `axis` the same extents, or 1 in one of them, which is
  /// repeated (NumPy's `take_along_axis`): indices of extents `[1, k]` take whole columns, `[N, 1]` whole rows.
  static let gather: Op = Op(
    "gather", "Elements of x along one axis by their positions, from 1: x, indices.", arity: .exactly(2),
    attributes: [axisAttribute("from which elements are taken")], paddingLanes: .cleared, resolve: resolveGather,
    infer: { [ValueType(try gatheredShape($0))] },
    kernel: { site in
      let layouts = GatherLayouts(site, table: site.inputs[0], result: site.outputs[0])
      let count = site.elements(site.outputs[0]), hasLanes = site.outputs[0].shape.paddingLanes > 0
      return Kernel { call in
        if hasLanes { call.output(0).update(repeating: 0, count: count) }
        let wrong = Strided.gather(
          call.input(0), layouts.table, along: layouts.axis, call.input(1), layouts.indices, result: call.output(0),
          layouts.result)
        if let wrong { throw layouts.axis.fault(for: wrong) }
      }
    },
    gradient: { site in
      let attributes = Attributes.dimensions(of: site.inputs[0].shape).setting("axis", site.attributes["axis"] ?? 1)
      return [try site.apply(.gatherGradient, [site.outputGradient, site.inputs[1]], attributes, for: 0), nil]
    }, onnx: .gatherElements)

  /// The gradient of what was gathered from: `dy, indices` -> the sum of `dy` at each position, in the order of `dy`.
  static let gatherGradient: Op = Op(
    "gather_gradient", "Sums of a gradient by position.", role: .derived, arity: .exactly(2), paddingLanes: .cleared,
    infer: { use in
      let extents = use.attributes.integers("shape")
      return [ValueType(extents.first == 0 ? .activation(Array(extents.dropFirst())) : .array(extents))]
    },
    kernel: { site in
      let layouts = GatherLayouts(site, table: site.outputs[0], result: site.inputs[0])
      let count = site.elements(site.outputs[0])
      return Kernel { call in
        call.output(0).update(repeating: 0, count: count)
        let wrong = Strided.scatterAdd(
          call.input(0), layouts.result, call.input(1), layouts.indices, along: layouts.axis, result: call.output(0),
          layouts.table)
        if let wrong { throw layouts.axis.fault(for: wrong) }
      }
    },
    gradient: { site in
      let axis = Attributes(["axis": site.attributes["axis"] ?? 1])
      return [try site.apply(.gather, [site.outputGradient, site.inputs[1]], axis)[0], nil]
    })

  /// The attribute of an op along one axis, the last by default.
  static func axisAttribute(_ purpose: String) -> AttributeSchema {
    AttributeSchema("axis", .integer(-8...8), standard: -1, "the axis \(purpose), from 1, or from -1 at the end")
  }

  private static func resolveGather(_ use: OpUse) throws -> Attributes {
    let x = use.inputs[0].shape, indices = use.inputs[1].shape
    guard x.rank == indices.rank else {
      throw use.fault(
        "the indices have another number of axes", expected: "\(x.rank), as \(x)", got: "\(indices)",
        hint: "Reshape them: an extent of 1 is repeated.")
    }
    return use.attributes.setting("axis", .int(try use.axis(use.attributes.integer("axis"), of: x) + 1))
  }

  /// The shape of the result. What is gathered from may have fewer axes here: it is repeated over the missing first ones.
  private static func gatheredShape(_ use: OpUse) throws -> Shape {
    let indices = use.inputs[1].shape.symbolic, own = use.inputs[0].shape.symbolic
    let x = [Int?](repeating: 1, count: max(0, indices.count - own.count)) + own
    let axis = use.attributes.integer("axis") - 1
    let extents: [Int?] = try indices.indices.map { position in
      if position == axis || x[position] == indices[position] || x[position] == 1 { return indices[position] }
      guard indices[position] == 1 else {
        throw use.fault(
          "the indices don't fit", expected: "\(use.inputs[0].shape), or extents of 1, beside axis \(axis + 1)",
          got: "\(use.inputs[1].shape)")
      }
      return x[position]
    }
    guard let shape = Shape(symbolic: extents) else { throw use.fault("the batch must stay the first axis") }
    return shape
  }
}

/// Where the elements of a gather lie: all layouts have the result's dimensions.
private struct GatherLayouts {
  let table: StridedLayout
  let indices: StridedLayout
  let result: StridedLayout
  let axis: IndexedAxis

  /// The indices are the second input.
  init(_ site: KernelSite, table type: ValueType, result: ValueType) {
    let own = type.shape.layout(batch: site.batch), position = site.attributes.integer("axis") - 1
    self.result = result.shape.layout(batch: site.batch)
    let dimensions = self.result.dimensions, ownPosition = position - (dimensions.count - own.dimensions.count)
    axis = IndexedAxis(extent: own.dimensions[ownPosition], stride: own.strides[ownPosition])
    var strides = own.broadcast(to: dimensions).strides
    strides[position] = 0
    table = StridedLayout(dimensions: dimensions, strides: strides)
    indices = site.inputs[1].shape.layout(batch: site.batch).broadcast(to: dimensions)
  }
}

extension IndexedAxis {
  /// The error for an index that names no element.
  func fault(for index: Float) -> Fault {
    Fault(
      .data, "there is no element of this index", expected: "a whole number from 1 to \(extent)",
      got: Self.text(of: index), hint: index == 0 ? "Indices count from 1." : nil)
  }

  /// An index as a whole number where it is one.
  static func text(of index: Float) -> String {
    Int(exactly: index).map(String.init) ?? "\(index.withUnsignedNaN)"
  }
}

extension ONNXMapping {
  /// ONNX repeats nothing by itself.
  fileprivate static let gatherElements = ONNXMapping("GatherElements") { site in
    let axis = site.attributes.integer("axis") - 1, result = site.output.shape
    var table = result.symbolic
    table[axis] = site.shape(0).symbolic[axis]
    let batched = (0...1).first { site.shape($0).hasBatch } ?? 0
    func repeated(_ name: String, _ shape: Shape, to extents: [Int?]) -> String {
      guard shape.symbolic != extents, let wanted = Shape(symbolic: extents) else { return name }
      return site.add("Expand", [name, site.extents(wanted, like: batched)])
    }
    let x = repeated(site.plain(0), site.shape(0), to: table)
    let positions = repeated(site.positions(site.plain(1)), site.shape(1), to: result.symbolic)
    return site.plain(site.add("GatherElements", [x, positions], ["axis": .int(axis)]))
  }
}
