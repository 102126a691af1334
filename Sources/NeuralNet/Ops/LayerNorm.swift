import Canonical
import TensorCore

extension GradientSite {
  /// `layer_norm_gradient` once more, from ops that are differentiable any number of times.
  fileprivate func layerNormGradientInPrimitives() throws -> [Symbol] {
    let x = inputs[0], dy = inputs[1], isAffine = inputs.count > 2
    let normal = try apply(.rowNormalise, [x], attributes), y = normal[0], deviation = normal[1]
    let g = isAffine ? try multiply(dy, try spread(inputs[2], like: x)) : dy
    let correlation = try apply(.rowDot, [g, y], Attributes(["averaged": true]))[0]
    let centred = try subtract(try subtract(g, try rowSum(g, averaged: true)), try multiply(y, correlation))
    let dx = try multiply(centred, deviation)
    guard isAffine else { return [dx] }
    return [dx, try apply(.channelSum, [try multiply(dy, y)])[0], try apply(.channelSum, [dy])[0]]
  }
}

extension LayerNormalization.Rows {
  init(_ grid: Grid) { self.init(count: grid.rows, channels: grid.channels, stride: grid.stride) }
}

extension Op {
  /// Layer normalisation (Ba, Kiros & Hinton 2016) over the last dimension:
  /// `y = (x − mean) / √(variance + epsilon) · weight + bias`, with the biased variance.
  static let layerNorm: Op = Op(
    "layer_norm", "Normalisation of each sample over the last axis.",
    attributes: [
      AttributeSchema("epsilon", .number(1e-12...1), standard: 1e-5, "added to the variance"),
      AttributeSchema("affine", .boolean, standard: true, "train a scale and a shift per channel"),
    ],
    paddingLanes: .cleared, infer: { [$0.input] },
    parameters: { use in
      guard use.attributes.boolean("affine") else { return [] }
      return [("weight", Float(1)), ("bias", 0)].map { name, value in
        ParameterDeclaration(
          name: name, dimensions: [use.input.shape.channels], kind: .norm, initialiser: .constant(value))
      }
    },
    kernel: { site in
      let rows = LayerNormalization.Rows(Grid(site, site.inputs[0])), compute = site.compute
      let epsilon = Float(site.attributes.number("epsilon")), isAffine = site.inputs.count > 1
      return Kernel { call in
        LayerNormalization.forward(
          rows, epsilon: epsilon, input: call.input(0), scale: isAffine ? call.input(1) : nil,
          shift: isAffine ? call.input(2) : nil, output: call.output(0), compute: compute)
      }
    },
    gradient: { site in
      let inputs = [site.inputs[0], site.outputGradient] + site.inputs.dropFirst().prefix(1)
      let gradients = try site.apply(.layerNormGradient, inputs, site.attributes)
      return Array(gradients.prefix(site.inputs.count))
    },
    onnx: ONNXMapping("LayerNormalization") { site in
      let ones = [Float](repeating: 1, count: site.shape(0).channels)
      let affine = site.count > 1 ? [site.plain(1), site.plain(2)] : [site.floats(ones, "weight")]
      let epsilon = JSONValue.number(site.attributes.number("epsilon"))
      return site.plain(
        site.add("LayerNormalization", [site.plain(0)] + affine, ["axis": -1, "epsilon": epsilon]))
    })

  /// The gradient of a layer normalisation: `x, dy [, weight] -> dx [, dweight, dbias]`.
  static let layerNormGradient: Op = Op(
    "layer_norm_gradient", "Gradients of a layer normalisation.", role: .derived, arity: .atLeast(2),
    paddingLanes: .cleared, inPlace: .inputs([0, 1]),
    infer: { use in
      let perChannel = ValueType(.array([use.input.shape.channels]))
      return use.inputs.count > 2 ? [use.input, perChannel, perChannel] : [use.input]
    },
    kernel: { site in
      let rows = LayerNormalization.Rows(Grid(site, site.inputs[0])), compute = site.compute
      let epsilon = Float(site.attributes.number("epsilon")), isAffine = site.inputs.count > 2
      return Kernel(scratchFloats: LayerNormalization.scratchFloats(channels: rows.channels)) { call in
        LayerNormalization.backward(
          rows, epsilon: epsilon, input: call.input(0), outputGradient: call.input(1),
          scale: isAffine ? call.input(2) : nil, inputGradient: call.output(0),
          parameterGradients: isAffine ? (call.output(1), call.output(2)) : nil, scratch: call.scratch,
          compute: compute)
      }
    },
    gradient: { site in
      let equal = try site.layerNormGradientInPrimitives()
      return try site.draft.partialGradients(of: equal, from: site.outputGradients, wrt: site.inputs)
    })

  /// Each row of the last dimension with mean 0 and variance 1: `x -> y, inverse deviation` (at every element).
  static let rowNormalise: Op = Op(
    "row_normalise", "Rows of mean 0 and variance 1.", role: .derived, paddingLanes: .cleared,
    infer: { [$0.input, $0.input] },
    kernel: { site in
      let grid = Grid(site, site.inputs[0]), epsilon = site.attributes.number("epsilon")
      let count = Double(grid.channels)
      return Kernel { call in
        for row in 0..<grid.rows {
          let start = row * grid.stride, x = call.input(0) + start
          var sum = 0.0, squares = 0.0
          for channel in 0..<grid.channels { sum += Double(x[channel]) }
          let mean = sum / count
          for channel in 0..<grid.channels { squares += (Double(x[channel]) - mean) * (Double(x[channel]) - mean) }
          let deviation = 1 / (squares / count + epsilon).squareRoot()
          for lane in 0..<grid.stride {
            let isInside = lane < grid.channels
            call.output(1)[start + lane] = isInside ? Float(deviation) : 0
            call.output(0)[start + lane] = isInside ? Float((Double(x[lane]) - mean) * deviation) : 0
          }
        }
      }
    },
    gradient: { site in
      let y = site.outputs[0], deviation = site.outputs[1], dy = site.outputGradient
      let mean = try site.rowSum(dy, averaged: true)
      let correlation = try site.apply(.rowDot, [dy, y], Attributes(["averaged": true]))[0]
      let centred = try site.subtract(try site.subtract(dy, mean), try site.multiply(y, correlation))
      let dx = try site.multiply(centred, deviation)
      guard let dDeviation = site.outputGradients[1] else { return [dx] }
      let slope = try site.multiply(try site.multiply(deviation, deviation), y)
      let through = try site.multiply(try site.rowSum(dDeviation, averaged: true), slope)
      return [try site.subtract(dx, through)]
    })
}
