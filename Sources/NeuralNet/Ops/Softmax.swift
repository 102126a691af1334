import Canonical
import TensorCore

extension Op {
  /// `e^xᵢ / Σⱼ e^xⱼ` over an axis.
  static let softmax: Op = softmax(
    "softmax", "Softmax over an axis, the last by default.", rows: { .softmaxRows }, onnx: "Softmax")

  /// The logarithm of `softmax`: `x − log Σ e^x`, without overflow.
  static let logSoftmax: Op = softmax(
    "log_softmax", "Logarithm of the softmax over an axis, the last by default.", rows: { .logSoftmaxRows },
    onnx: "LogSoftmax")

  /// An op over the last axis that users may have over any: it takes the axis to the end and back.
  private static func softmax(
    _ name: String, _ documentation: String, rows: @escaping @Sendable () -> Op, onnx: String
  ) -> Op {
    Op(
      name, documentation, attributes: [axisAttribute("that sums to 1")], paddingLanes: .cleared,
      resolve: { use in
        let axis = try use.axis(use.attributes.integer("axis"), of: use.input.shape)
        guard use.input.shape.symbolic[axis] != nil else {
          throw use.fault("the batch can't be the axis", expected: "an axis of a sample", got: "\(axis + 1)")
        }
        return use.attributes.setting("axis", .int(axis + 1))
      },
      infer: { [$0.input] },
      expansion: { site in
        let rank = site.inputs[0].shape.rank, axis = site.attributes.integer("axis")
        if axis == rank { return try site.apply(rows(), site.inputs) }
        var order = Array(1...rank)
        order.swapAt(axis - 1, rank - 1)
        let swap = Attributes(["order": .array(order.map { .int($0) })])
        let last = try site.apply(.transpose, site.inputs, swap)
        return try site.apply(.transpose, try site.apply(rows(), last), swap)
      },
      onnx: ONNXMapping(onnx) { site in
        let x = site.native(0), axis = x.axes.firstIndex(of: site.attributes.integer("axis") - 1) ?? 0
        return ONNXValue(site.add(onnx, [x.name], ["axis": .int(axis)]), x.axes)
      })
  }

  /// The kernel of `log_softmax`.
  static let logSoftmaxRows: Op = Op(
    "log_softmax_rows", "Logarithm of the softmax of rows.", role: .derived, paddingLanes: .cleared,
    infer: { [$0.input] },
    kernel: { site in
      let grid = Grid(site, site.inputs[0]), compute = site.compute
      return Kernel { call in
        Softmax.logarithms(
          rows: grid.rows, classes: grid.channels, stride: grid.stride, logits: call.input(0), output: call.output(0),
          compute: compute)
      }
    },
    gradient: { site in [try site.apply(.logSoftmaxGradient, [site.outputs[0], site.outputGradient])[0]] },
    onnx: .rows("LogSoftmax"))

  /// The gradient of a log-softmax from its output: `dy − e^y Σ dy`.
  static let logSoftmaxGradient: Op = Op(
    "log_softmax_gradient", "Gradient of a log-softmax.", role: .derived, arity: .exactly(2), paddingLanes: .cleared,
    inPlace: .inputs([0, 1]), infer: { [$0.input] },
    kernel: { site in
      let grid = Grid(site, site.inputs[0]), compute = site.compute
      return Kernel { call in
        Softmax.logarithmGradient(
          rows: grid.rows, classes: grid.channels, stride: grid.stride, output: call.input(0),
          outputGradient: call.input(1), result: call.output(0), compute: compute)
      }
    },
    gradient: { site in
      let y = site.inputs[0], dy = site.inputs[1], incoming = site.outputGradient
      let probabilities = try site.apply(.exp, [y])[0], weighted = try site.multiply(incoming, probabilities)
      let total = try site.rowSum(weighted)
      return [
        site.isWanted[0] ? try site.scale(try site.multiply(weighted, try site.rowSum(dy)), -1) : nil,
        try site.subtract(incoming, total),
      ]
    })

  /// The kernel of `softmax`.
  static let softmaxRows: Op = Op(
    "softmax_rows", "Softmax of rows.", role: .derived, paddingLanes: .cleared, inPlace: .inputs([0]),
    infer: { [$0.input] },
    kernel: { site in
      let grid = Grid(site, site.inputs[0]), compute = site.compute
      return Kernel { call in
        Softmax.probabilities(
          rows: grid.rows, classes: grid.channels, stride: grid.stride, logits: call.input(0), output: call.output(0),
          compute: compute)
      }
    },
    gradient: { site in [try site.apply(.softmaxGradient, [site.outputs[0], site.outputGradient])[0]] },
    onnx: .rows("Softmax"))

  /// The gradient of a softmax from its output: `y · (dy − Σ y · dy)`.
  static let softmaxGradient: Op = Op(
    "softmax_gradient", "Gradient of a softmax.", role: .derived, arity: .exactly(2), paddingLanes: .carried,
    inPlace: .inputs([0, 1]), infer: { [$0.input] },
    kernel: { site in
      let grid = Grid(site, site.inputs[0]), compute = site.compute
      return Kernel { call in
        Softmax.gradient(
          rows: grid.rows, classes: grid.channels, stride: grid.stride, output: call.input(0),
          outputGradient: call.input(1), result: call.output(0), compute: compute)
      }
    },
    gradient: { site in
      let y = site.inputs[0], dy = site.inputs[1], incoming = site.outputGradient
      let inner = try site.apply(.rowDot, [y, dy])[0], outer = try site.apply(.rowDot, [incoming, y])[0]
      let first = try site.multiply(incoming, try site.subtract(dy, inner))
      return [
        try site.subtract(first, try site.multiply(dy, outer)),
        try site.apply(.softmaxGradient, [y, incoming], for: 1),
      ]
    })
}

extension ONNXMapping {
  /// Over the last axis.
  fileprivate static func rows(_ type: String) -> ONNXMapping {
    ONNXMapping(type) { site in site.plain(site.add(type, [site.plain(0)], ["axis": -1])) }
  }
}
