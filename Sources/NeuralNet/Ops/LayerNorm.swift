import Canonical
import TensorCore

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
    expansion: { site in
      let x = site.inputs[0], normal = try site.apply(.rowNormalise, [x], site.attributes)[0]
      guard site.inputs.count > 1 else { return [normal] }
      let scaled = try site.multiply(normal, try site.spread(site.inputs[1], like: x))
      return try site.apply(.add, [scaled, try site.spread(site.inputs[2], like: x)])
    },
    onnx: ONNXMapping("LayerNormalization") { site in
      let ones = [Float](repeating: 1, count: site.shape(0).channels)
      let affine = site.count > 1 ? [site.plain(1), site.plain(2)] : [site.floats(ones, "weight")]
      let epsilon = JSONValue.number(site.attributes.number("epsilon"))
      return site.plain(
        site.add("LayerNormalization", [site.plain(0)] + affine, ["axis": -1, "epsilon": epsilon]))
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
