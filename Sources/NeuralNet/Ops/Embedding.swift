import Canonical
import TensorCore

// What whole numbers from 1 (words, categories, classes) become before a network computes with them.

extension Op {
  /// The trained row of a table for each number: `[N, …]` -> `[N, …, size]`. Rows are drawn from N(0, 1), PyTorch's
  /// default. The gradient of a row is the sum over its uses, in their order.
  static let embedding: Op = Op(
    "embedding", "A trained vector for each whole number from 1.",
    attributes: [
      AttributeSchema("count", .integer(1...(1 << 24)), "how many numbers there are"),
      AttributeSchema("size", .integer(1...largestExtent), "length of a vector"),
    ],
    paddingLanes: .cleared,
    infer: { use in
      let extents = use.input.shape.symbolic, size = use.attributes.integer("size")
      guard !extents.isEmpty, let shape = Shape(symbolic: extents + [size]) else {
        throw use.fault("wrong input shape", expected: "[N, …]", got: "\(use.input.shape)")
      }
      return [ValueType(shape)]
    },
    parameters: { use in
      let dimensions = [use.attributes.integer("count"), use.attributes.integer("size")]
      return [
        ParameterDeclaration(
          name: "weight", dimensions: dimensions, kind: .weight, initialiser: .normal(deviation: 1))
      ]
    },
    expansion: { site in
      let x = site.inputs[0]
      guard let column = Shape(symbolic: x.shape.symbolic + [1]) else { return [] }
      let indices = try site.apply(.reshape, [x], .dimensions(of: column))[0]
      return try site.apply(.gather, [site.inputs[1], indices], Attributes(["axis": .int(x.shape.rank)]))
    },
    onnx: ONNXMapping("Gather") { site in
      site.plain(site.add("Gather", [site.plain(1), site.positions(site.plain(0))], ["axis": 0]))
    })

  /// 1 at the position that each number names, else 0: `[N, …]` -> `[N, …, classes]`. It has no gradient.
  static let oneHot: Op = Op(
    "one_hot", "1 at the position that each whole number names, from 1, else 0.",
    attributes: [AttributeSchema("classes", .integer(1...largestExtent), "length of the new last axis")],
    paddingLanes: .cleared,
    infer: { use in
      let extents = use.input.shape.symbolic + [use.attributes.integer("classes")]
      return [ValueType(Shape(symbolic: extents) ?? use.input.shape)]
    },
    kernel: { site in
      let from = Grid(site, site.inputs[0]), to = Grid(site, site.outputs[0])
      let axis = IndexedAxis(extent: to.channels, stride: 1), count = site.elements(site.outputs[0])
      return Kernel { call in
        call.output(0).update(repeating: 0, count: count)
        for element in 0..<to.rows {
          let index = call.input(0)[element / from.channels * from.stride + element % from.channels]
          guard let offset = axis.offset(of: index) else { throw axis.fault(for: index) }
          call.output(0)[element * to.stride + offset] = 1
        }
      }
    }, gradient: { _ in [nil] },
    onnx: ONNXMapping("OneHot") { site in
      let depth = site.integers([site.attributes.integer("classes")], "classes")
      let values = site.floats([0, 1], "values")
      return site.plain(site.add("OneHot", [site.positions(site.plain(0)), depth, values], ["axis": -1]))
    })
}
