import TensorCore

extension Op {
  /// The sum over all rows per channel, `[N, …, C] -> [C]`: the gradient of a bias. With `averaged`, the mean.
  static let channelSum: Op = Op(
    "channel_sum", "Sum over batch and positions, per channel.", role: .derived, paddingLanes: .none,
    infer: { [ValueType(.array([$0.input.shape.channels]))] },
    kernel: { site in
      let rows = site.rows(site.inputs[0]), channels = site.inputs[0].shape.channels, compute = site.compute
      let factor = site.rowFactor(of: site.inputs[0])
      return Kernel(scratchFloats: Channels.scratchFloats(channels: channels)) { call in
        Channels.sumRows(
          rows: rows, channels: channels, input: call.input(0), result: call.output(0), scratch: call.scratch,
          compute: compute)
        if factor != 1 { for channel in 0..<channels { call.output(0)[channel] *= factor } }
      }
    },
    gradient: { site in [try site.apply(.channelSpread, [site.outputGradient, site.inputs[0]], site.attributes)[0]] })

  /// One number per channel in every row of a shape: `[C]`, `[N, …, C]` (only its shape counts) `-> [N, …, C]`. With
  /// `averaged`, divided by the number of rows.
  static let channelSpread: Op = Op(
    "channel_spread", "A number per channel in every row.", role: .derived, arity: .exactly(2),
    paddingLanes: .cleared, infer: { [$0.inputs[1]] },
    kernel: { site in
      let grid = Grid(site, site.outputs[0]), factor = site.rowFactor(of: site.outputs[0])
      return Kernel { call in
        let values = call.input(0)
        grid.fill(call.output(0)) { _, channel, _ in values[channel] * factor }
      }
    },
    gradient: { site in [try site.apply(.channelSum, [site.outputGradient], site.attributes, for: 0), nil] })
}

extension KernelSite {
  /// What `averaged` multiplies a sum over the rows of a value with.
  fileprivate func rowFactor(of type: ValueType) -> Float {
    attributes.boolean("averaged") ? 1 / Float(rows(type)) : 1
  }
}
