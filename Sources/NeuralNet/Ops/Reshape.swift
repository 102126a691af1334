import Canonical
import TensorCore

extension Op {
  /// `[N, H, W, C] -> [N, H·W·C]`, channels fastest. The identity on `[N, C]`.
  static let flatten: Op = Op(
    "flatten", "All of a sample's elements as one vector.", paddingLanes: .carried,
    infer: { use in [ValueType(.vector(use.input.shape.elementsPerSample))] },
    expansion: { site in
      let input = site.inputs[0]
      if input.shape.isVector { return [input] }
      return try site.apply(.reshape, [input], .dimensions(of: .vector(input.shape.elementsPerSample)))
    })

  /// The same elements in the same order in another shape: all its extents, 0 for one that stays (the batch's is
  /// always 0), −1 for the one that follows from the others. Padding moves, so it copies.
  static let reshape: Op = Op(
    "reshape", "Another shape for the same elements.",
    attributes: [AttributeSchema("shape", .integers, "all extents; 0 keeps one, -1 is worked out")],
    paddingLanes: .carried, resolve: resolveShape,
    infer: { use in
      let extents = use.attributes.integers("shape")
      return [
        ValueType(use.input.shape.hasBatch ? .activation(Array(extents.dropFirst())) : .array(extents))
      ]
    },
    kernel: { site in
      let from = site.inputs[0].shape, to = site.outputs[0].shape, count = site.elements(site.outputs[0])
      let total = from.rows(batch: site.batch) * from.channels
      return Kernel { call in copy(call.input(0), from, to: call.output(0), to, total: total, floats: count) }
    },
    gradient: { site in
      try site.apply(.reshape, [site.outputGradient], .dimensions(of: site.inputs[0].shape))
    },
    onnx: ONNXMapping("Reshape") { site in
      let shape = site.integers(site.attributes.integers("shape"), "shape")
      return site.plain(site.add("Reshape", [site.plain(0), shape]))
    })

  /// Copies `total` elements from rows of one length to rows of another; padding lanes become zero.
  private static func copy(
    _ input: UnsafePointer<Float>, _ from: Shape, to output: UnsafeMutablePointer<Float>, _ to: Shape, total: Int,
    floats: Int
  ) {
    let fromWidth = from.channels + from.paddingLanes, toWidth = to.channels + to.paddingLanes
    if to.paddingLanes > 0 { output.update(repeating: 0, count: floats) }
    var source = input, target = output, done = 0, inSource = 0, inTarget = 0
    while done < total {
      let run = min(from.channels - inSource, to.channels - inTarget)
      target.advanced(by: inTarget).update(from: source.advanced(by: inSource), count: run)
      done += run
      inSource += run
      inTarget += run
      if inSource == from.channels { (source, inSource) = (source.advanced(by: fromWidth), 0) }
      if inTarget == to.channels { (target, inTarget) = (target.advanced(by: toWidth), 0) }
    }
  }

  /// The extents with 0 and −1 worked out; the batch stays 0.
  private static func resolveShape(_ use: OpUse) throws -> Attributes {
    let given = use.attributes.integers("shape"), input = use.input.shape, old = input.symbolic
    func wrong(_ hint: String) -> any Error {
      use.fault("the shape doesn't fit", expected: "the elements of \(input)", got: "\(given)", hint: hint)
    }
    guard given.allSatisfy({ $0 >= -1 }), given.filter({ $0 == -1 }).count <= 1 else {
      throw wrong("Give extents of at least 1, 0 to keep one, and at most one -1.")
    }
    if input.hasBatch, given.first != 0 { throw wrong("The first extent is the batch: give 0 for it.") }
    var extents = try given.enumerated().map { axis, extent in
      guard extent == 0 else { return extent }
      guard axis < old.count else { throw wrong("0 keeps an extent that the input has not.") }
      return old[axis] ?? 0
    }
    let first = input.hasBatch ? 1 : 0
    let total = input.elementsPerSample
    guard let known = extents[min(first, extents.count)...].filter({ $0 > 0 }).product else {
      throw wrong("The number of elements must stay \(total).")
    }
    if let open = extents.firstIndex(of: -1) {
      guard total % known == 0 else { throw wrong("-1 would not be a whole number.") }
      extents[open] = total / known
    } else if known != total {
      throw wrong("The number of elements must stay \(total).")
    }
    return use.attributes.setting("shape", .array(extents.map { .int($0) }))
  }
}

extension Attributes {
  /// The attributes of a reshape to a shape.
  static func dimensions(of shape: Shape) -> Attributes {
    Attributes(["shape": .array(((shape.hasBatch ? [0] : []) + shape.dimensions).map { .int($0) })])
  }
}
