import Canonical
import TensorCore

// What gradients of gradients are written with. All of these are differentiable any number of times.

extension Op {
  /// Every element times a scalar: x, `[]` -> the shape of x. With `averaged`, divided by the batch size.
  static let scalarMultiply: Op = Op(
    "scalar_multiply", "A value times a scalar.", role: .derived, arity: .exactly(2), paddingLanes: .carried,
    inPlace: .inputs([0]), infer: { [$0.input] },
    kernel: { site in
      let count = site.elements(site.inputs[0]), compute = site.compute, factor = site.sampleFactor
      return Kernel { call in
        Elementwise.scale(
          call.input(0), by: call.input(1)[0] * factor, result: call.output(0), count: count, compute: compute)
      }
    },
    gradient: { site in
      [
        try site.apply(.scalarMultiply, [site.outputGradient, site.inputs[1]], site.attributes, for: 0),
        try site.apply(.dot, [site.outputGradient, site.inputs[0]], site.attributes, for: 1),
      ]
    })

  /// The sum of the products of two values of one shape, a scalar. With `averaged`, divided by the batch size.
  static let dot: Op = Op(
    "dot", "Sum of products.", role: .derived, arity: .exactly(2), paddingLanes: .none,
    infer: { _ in [ValueType(.array([]))] },
    kernel: { site in
      let grid = Grid(site, site.inputs[0]), factor = Double(site.sampleFactor)
      return Kernel { call in
        let a = call.input(0), b = call.input(1)
        var total = 0.0
        for row in 0..<grid.rows {
          for index in (row * grid.stride)..<(row * grid.stride + grid.channels) {
            total += Double(a[index]) * Double(b[index])
          }
        }
        call.output(0)[0] = Float(total * factor)
      }
    },
    gradient: { site in
      let a = site.inputs[0], b = site.inputs[1], incoming = site.outputGradient
      return [
        try site.apply(.scalarMultiply, [b, incoming], site.attributes, for: 0),
        try site.apply(.scalarMultiply, [a, incoming], site.attributes, for: 1),
      ]
    },
    onnx: ONNXMapping("ReduceSum") { site in
      let products = site.add("Mul", [site.plain(0), site.plain(1)])
      guard site.attributes.boolean("averaged"), site.shape(0).rank > 1 else {
        return site.plain(
          site.add(site.attributes.boolean("averaged") ? "ReduceMean" : "ReduceSum", [products], ["keepdims": 0]))
      }
      let axes = site.integers(Array(1..<site.shape(0).rank), "axes")
      let sums = site.add("ReduceSum", [products, axes], ["keepdims": 0])
      return site.plain(site.add("ReduceMean", [sums], ["keepdims": 0]))
    })

  /// The sum of products over the last dimension, at every place of it: `y[…, i] = Σⱼ a[…, j] · b[…, j]`. With
  /// `averaged`, the mean.
  static let rowDot: Op = Op(
    "row_dot", "Sums of products over the last dimension.", role: .derived, arity: .exactly(2),
    paddingLanes: .cleared, infer: { [$0.input] },
    kernel: { site in
      let grid = Grid(site, site.inputs[0]), compute = site.compute
      let factor = site.attributes.boolean("averaged") ? 1 / Float(grid.channels) : 1
      return Kernel { call in
        Channels.rowDot(
          rows: grid.rows, channels: grid.channels, stride: grid.stride, call.input(0), call.input(1), times: factor,
          result: call.output(0), compute: compute)
      }
    },
    gradient: { site in
      let sums = try site.rowSum(site.outputGradient, averaged: site.attributes.boolean("averaged"))
      return try [1, 0].map { try site.multiply(sums, site.inputs[$0]) }
    })
}

extension KernelSite {
  fileprivate var sampleFactor: Float { attributes.boolean("averaged") ? 1 / Float(batch) : 1 }
}

/// Where ops are added to a graph with a path: gradients and expansions write with the same words.
protocol OpSite {
  func apply(_ op: Op, _ inputs: [Symbol], _ attributes: Attributes) throws -> [Symbol]
}

extension GradientSite: OpSite {}
extension ExpansionSite: OpSite {}

extension OpSite {
  func multiply(_ a: Symbol, _ b: Symbol) throws -> Symbol { try apply(.mul, [a, b], Attributes())[0] }
  func divide(_ a: Symbol, _ b: Symbol) throws -> Symbol { try apply(.div, [a, b], Attributes())[0] }
  func subtract(_ a: Symbol, _ b: Symbol) throws -> Symbol { try apply(.sub, [a, b], Attributes())[0] }

  /// `factor · x + shift`.
  func scale(_ x: Symbol, _ factor: Double, shift: Double = 0) throws -> Symbol {
    try apply(.scale, [x], Attributes(["multiply": .number(factor), "add": .number(shift)]))[0]
  }

  /// A number per channel in every row of the shape of `x`.
  func spread(_ values: Symbol, like x: Symbol, averaged: Bool = false) throws -> Symbol {
    try apply(.channelSpread, [values, x], Attributes(averaged ? ["averaged": true] : [:]))[0]
  }

  /// The mean over all rows per channel.
  func averagedChannelSum(_ x: Symbol) throws -> Symbol {
    try apply(.channelSum, [x], Attributes(["averaged": true]))[0]
  }

  /// The sum (or mean) over the last dimension, at every place of it.
  func rowSum(_ x: Symbol, averaged: Bool = false) throws -> Symbol {
    let ones = try scale(x, 0, shift: 1)
    return try apply(.rowDot, [x, ones], Attributes(averaged ? ["averaged": true] : [:]))[0]
  }
}
