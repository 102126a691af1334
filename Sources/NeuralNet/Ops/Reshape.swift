import Canonical
import TensorCore

extension Op {
  /// `[N, H, W, C] -> [N, H·W·C]`, channels fastest. The identity on `[N, C]`.
  static let flatten: Op = Op(
    "flatten", "All of a sample's elements as one vector.", paddingLanes: .carried,
    infer: { use in [ValueType(.vector(use.input.shape.elementsPerSample))] },
    expansion: { site in
      let elements = site.inputs[0].shape.elementsPerSample
      if site.inputs[0].shape.isVector { return [site.inputs[0]] }
      return try site.apply(.reshape, [site.inputs[0]], Attributes(["dimensions": [.int(elements)]]))
    },
    onnx: ONNXMapping("Flatten"))

  /// The same elements in the same order in another shape, `dimensions` per sample. Padding moves, so it copies.
  static let reshape: Op = Op(
    "reshape", "Another shape for the same elements.", role: .derived, paddingLanes: .carried,
    infer: { [ValueType(.activation($0.attributes.integers("dimensions")))] },
    kernel: { site in
      let from = site.inputs[0].shape.channels, to = site.outputs[0].shape.channels
      let count = site.elements(site.outputs[0]), total = site.batch * site.inputs[0].shape.elementsPerSample
      return Kernel { call in
        call.output(0).update(repeating: 0, count: count)
        var source = call.input(0), target = call.output(0), done = 0, inSource = 0, inTarget = 0
        while done < total {
          let run = min(from - inSource, to - inTarget)
          target.advanced(by: inTarget).update(from: source.advanced(by: inSource), count: run)
          done += run
          inSource += run
          inTarget += run
          if inSource == from { (source, inSource) = (source.advanced(by: paddedChannels(from)), 0) }
          if inTarget == to { (target, inTarget) = (target.advanced(by: paddedChannels(to)), 0) }
        }
      }
    },
    gradient: { site in
      let dimensions = site.inputs[0].shape.dimensions.map { JSONValue.int($0) }
      return try site.apply(.reshape, [site.outputGradient], Attributes(["dimensions": .array(dimensions)]))
    })
}
