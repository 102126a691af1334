import Canonical
import TensorCore

extension Op {
  /// Zeros with the shape of the input, or of every `stride`-th row and column of it: NAS-Bench-201's `none`.
  static let zero: Op = Op(
    "zero", "Zeros in the shape of the input.",
    attributes: [AttributeSchema("stride", .pair(1...1024), standard: 1, "step between the rows and columns kept")],
    paddingLanes: .carried,
    infer: { use in
      let stride = use.attributes.pair("stride")
      guard stride != Extent(height: 1, width: 1) else { return [use.input] }
      let input = try use.image()
      let height = (input.height + stride.height - 1) / stride.height
      return [ValueType(.image(height, (input.width + stride.width - 1) / stride.width, input.channels))]
    },
    kernel: { fill(0, $0) }, gradient: { _ in [nil] },
    onnx: ONNXMapping("ConstantOfShape") { site in
      site.plain(site.add("ConstantOfShape", [site.extents(site.output.shape, like: 0)]))
    })

  /// An array of one value, without inputs: where a gradient starts.
  static let constant: Op = Op(
    "constant", "An array of one value.", role: .derived, arity: .exactly(0), paddingLanes: .none,
    infer: { [ValueType(.array($0.attributes.integers("dimensions")))] },
    kernel: { fill(Float($0.attributes.number("value")), $0) }, gradient: { _ in [] },
    onnx: ONNXMapping("Constant") { site in
      let shape = site.output.shape,
        values = [Float](repeating: Float(site.attributes.number("value")), count: shape.elementsPerSample)
      return site.plain(site.draft.add(.floats(values), shape: shape.dimensions, named: site.node.path))
    })

  /// An array of given numbers: a mask, a fixed code of positions. A recipe gives it as a tensor.
  static let literal: Op = Op(
    "literal", "An array of given numbers: what a tensor in a build becomes.", arity: .exactly(0),
    attributes: [
      AttributeSchema("values", .numbers, "the numbers, the last axis fastest"),
      AttributeSchema("shape", .integers, "the extents"),
    ],
    paddingLanes: .none,
    infer: { use in
      let shape = use.attributes.integers("shape"), count = use.attributes.numbers("values").count
      guard shape.allSatisfy({ $0 > 0 }), shape.product == count, count <= largestLiteral else {
        throw use.fault(
          "the numbers don't fill the shape",
          expected: "\(shape.product.map(String.init) ?? "too many") numbers, at most \(largestLiteral)",
          got: "\(count)")
      }
      return [ValueType(.array(shape))]
    },
    kernel: { site in
      let values = site.attributes.numbers("values").map { Float($0) }
      return Kernel { call in call.output(0).update(from: values, count: values.count) }
    },
    gradient: { _ in [] },
    onnx: ONNXMapping("Constant") { site in
      let values = site.attributes.numbers("values").map { Float($0) }
      return site.plain(
        site.draft.add(.floats(values), shape: site.output.shape.dimensions, named: site.node.path))
    })

  /// The most numbers of a `literal`: they are part of the network's description.
  private static let largestLiteral = 1 << 18

  private static func fill(_ value: Float, _ site: KernelSite) -> Kernel {
    let count = site.elements(site.outputs[0])
    return Kernel { call in call.output(0).update(repeating: value, count: count) }
  }
}
