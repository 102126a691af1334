import Canonical
import TensorCore

extension Op {
  /// A mixture: `weights [k], x1 … xk -> Σ weights[i] · x_i`, summed from the first to the last (DARTS, Liu et al. 2019,
  /// section 2.2: the mixed operation of an edge).
  static let weightedSum: Op = Op(
    "weighted_sum", "Sum of values, each times its element of an array of weights, which comes first.",
    arity: .atLeast(2),
    paddingLanes: .carried,
    infer: { use in
      for (index, other) in use.inputs.enumerated().dropFirst(2) where other != use.inputs[1] {
        throw use.fault(
          "branch \(index) of a mixture has another shape", expected: use.inputs[1].shape.description,
          got: other.shape.description, hint: "Every branch must give the same shape.")
      }
      guard use.input.shape == .array([use.inputs.count - 1]) else {
        throw use.fault(
          "wrong weights of a mixture", expected: "[\(use.inputs.count - 1)]", got: use.input.shape.description)
      }
      return [use.inputs[1]]
    },
    kernel: { site in
      let count = site.elements(site.outputs[0]), branches = site.inputs.count - 1, compute = site.compute
      return Kernel { call in
        let sum = call.output(0)
        Elementwise.scale(call.input(1), by: call.input(0)[0], result: sum, count: count, compute: compute)
        for branch in 1..<branches {
          Elementwise.accumulate(
            call.input(branch + 1), times: call.input(0)[branch], into: sum, count: count, compute: compute)
        }
      }
    },
    gradient: { site in
      let dy = site.outputGradient, weights = site.inputs[0], values = Array(site.inputs.dropFirst())
      let dweights = try site.apply(.weightedSumWeightGradient, [dy] + values, for: 0)
      return try [dweights]
        + values.indices.map { branch in
          try site.apply(
            .scaledByElement, [dy, weights], Attributes(["element": .int(branch)]), for: branch + 1)
        }
    },
    onnx: ONNXMapping("Sum") { site in
      let (values, axes) = site.together(Array(1..<site.count)), weights = site.plain(0)
      let terms = values.enumerated().map { index, value in
        let place = site.draft.add(.integers([index]), shape: [], named: "\(site.node.path)/place")
        return site.add("Mul", [value, site.add("Gather", [weights, place])])
      }
      return ONNXValue(terms.count == 1 ? terms[0] : site.add("Sum", terms), axes)
    })

  /// `y, x1 … xk -> [Σ y · x1, …, Σ y · xk]`: the gradient of a mixture's weights.
  static let weightedSumWeightGradient: Op = Op(
    "weighted_sum_weight_gradient", "Gradient of a mixture's weights.", role: .derived, arity: .atLeast(2),
    paddingLanes: .none, infer: { [ValueType(.array([$0.inputs.count - 1]))] },
    kernel: { site in
      let count = site.elements(site.inputs[0]), branches = site.inputs.count - 1, compute = site.compute
      return Kernel { call in
        for branch in 0..<branches {
          call.output(0)[branch] = Float(
            Elementwise.dot(call.input(0), call.input(branch + 1), count: count, compute: compute))
        }
      }
    },
    gradient: { site in
      let g = site.outputGradient, y = site.inputs[0], values = Array(site.inputs.dropFirst())
      let dy = site.isWanted[0] ? try site.apply(.weightedSum, [g] + values)[0] : nil
      return try [dy]
        + values.indices.map { branch in
          try site.apply(.scaledByElement, [y, g], Attributes(["element": .int(branch)]), for: branch + 1)
        }
    })

  /// `x, weights [k] -> weights[element] · x`.
  static let scaledByElement: Op = Op(
    "scaled_by_element", "A value times one element of an array.", role: .derived, arity: .exactly(2),
    paddingLanes: .carried, infer: { [$0.input] },
    kernel: { site in
      let count = site.elements(site.inputs[0]), element = site.attributes.integer("element"), compute = site.compute
      return Kernel { call in
        Elementwise.scale(
          call.input(0), by: call.input(1)[element], result: call.output(0), count: count, compute: compute)
      }
    },
    gradient: { site in
      let g = site.outputGradient, element = site.attributes.integer("element")
      let count = site.inputs[1].shape.dimensions[0]
      let dx = try site.apply(.scaledByElement, [g, site.inputs[1]], site.attributes, for: 0)
      guard site.isWanted[1] else { return [dx, nil] }
      // The gradient of the whole array: the product at the element, zero elsewhere.
      let zero = try site.apply(.zero, [site.inputs[0]], Attributes(["stride": [1, 1]]))[0]
      let terms = (0..<count).map { $0 == element ? site.inputs[0] : zero }
      return [dx, try site.apply(.weightedSumWeightGradient, [g] + terms)[0]]
    })
}
