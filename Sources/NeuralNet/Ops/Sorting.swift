import Canonical
import TensorCore

// Elements in their order along one axis. Of equal elements the first comes first; NaN comes last.

extension Op {
  /// The positions, from 1, of the elements in their order.
  static let argsort: Op = Op(
    "argsort", "Positions, from 1, of the elements in their order along an axis.", attributes: sortingAttributes,
    paddingLanes: .cleared, resolve: resolveSorting, infer: { [$0.input] },
    kernel: { site in
      let layout = site.inputs[0].shape.layout(batch: site.batch), axis = site.attributes.integer("axis") - 1
      let order = layout.dimensions.indices.filter { $0 != axis } + [axis], rows = layout.permuted(order)
      let count = site.elements(site.outputs[0]), hasLanes = site.outputs[0].shape.paddingLanes > 0
      let isDescending = site.attributes.boolean("descending")
      return Kernel(scratchFloats: 2 * layout.dimensions[axis]) { call in
        if hasLanes { call.output(0).update(repeating: 0, count: count) }
        Strided.order(
          call.input(0), rows, descending: isDescending, result: call.output(0), rows, scratch: call.scratch)
      }
    }, gradient: { _ in [nil] },
    onnx: ONNXMapping("TopK") { site in site.plain(site.fromPositions(site.sorted()[1])) })

  /// The elements in their order: gathered by `argsort`, so that gradients go back to where they came from.
  static let sort: Op = Op(
    "sort", "The elements in their order along an axis.", attributes: sortingAttributes, paddingLanes: .cleared,
    resolve: resolveSorting, infer: { [$0.input] },
    expansion: { site in
      let order = try site.apply(.argsort, site.inputs, site.attributes)[0]
      return try site.apply(.gather, [site.inputs[0], order], Attributes(["axis": site.attributes["axis"] ?? 1]))
    }, onnx: ONNXMapping("TopK") { site in site.plain(site.sorted()[0]) })

  private static let sortingAttributes = [
    axisAttribute("that is sorted"),
    AttributeSchema("descending", .boolean, standard: false, "the greatest first"),
  ]

  private static func resolveSorting(_ use: OpUse) throws -> Attributes {
    use.attributes.setting("axis", .int(try use.axis(use.attributes.integer("axis"), of: use.input.shape) + 1))
  }
}

extension ONNXSite {
  /// All elements in their order, and their positions from 0: `TopK` of as many as there are.
  fileprivate func sorted() -> [String] {
    let axis = attributes.integer("axis") - 1
    let count = shape(0).symbolic[axis].map { integers([$0], "count") } ?? extents(.activation([]), like: 0)
    let options: [String: JSONValue] = [
      "axis": .int(axis), "largest": attributes.boolean("descending") ? 1 : 0, "sorted": 1,
    ]
    return draft.add("TopK", [plain(0), count], options, path: node.path, outputs: 2)
  }
}
