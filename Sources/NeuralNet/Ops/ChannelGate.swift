import Canonical
import TensorCore

extension Op {
  /// Every channel of every sample times a number: `[N, H, W, C]`, `[N, C]` -> `[N, H, W, C]`. What squeeze-and-excitation
  /// ends with (Hu, Shen & Sun 2018).
  static let channelGate: Op = Op(
    "channel_gate", "Each sample's channels times numbers [N, C].", arity: .exactly(2), paddingLanes: .carried,
    infer: { use in
      let image = try use.image(), gate = use.inputs[1].shape
      guard gate == .vector(image.channels) else {
        throw use.fault(
          "wrong shape of the gate", expected: "[N, \(image.channels)]", got: gate.description,
          hint: "global_avg_pool gives such a shape.")
      }
      return [use.input]
    },
    kernel: { site in
      let grid = Grid(site, site.inputs[0]), positions = grid.rows / site.batch
      return Kernel { call in
        let x = call.input(0), gate = call.input(1)
        grid.fill(call.output(0)) { row, channel, index in
          x[index] * gate[row / positions * grid.stride + channel]
        }
      }
    },
    gradient: { site in
      let x = site.inputs[0], dy = site.outputGradient
      let mean = try site.apply(.globalAvgPool, [try site.multiply(dy, x)])[0]
      return [
        try site.apply(.channelGate, [dy, site.inputs[1]], for: 0),
        try site.scale(mean, Double(x.shape.height * x.shape.width)),
      ]
    },
    onnx: ONNXMapping("Mul") { site in
      let gate = site.add("Unsqueeze", [site.plain(1), site.integers([2, 3], "axes")])
      return site.image(site.add("Mul", [site.image(0), gate]))
    })
}
