import TensorCore

extension Op {
  /// The sum over all rows per channel, `[N, …, C] -> [C]`: the gradient of a bias.
  static let channelSum: Op = Op(
    "channel_sum", "Sum over batch and positions, per channel.", role: .derived, paddingLanes: .none,
    infer: { [ValueType(.array([$0.input.shape.channels]))] },
    kernel: { site in
      let rows = site.rows(site.inputs[0]), channels = site.inputs[0].shape.channels, compute = site.compute
      return Kernel(scratchFloats: Channels.scratchFloats(channels: channels)) { call in
        Channels.sumRows(
          rows: rows, channels: channels, input: call.input(0), result: call.output(0), scratch: call.scratch,
          compute: compute)
      }
    })
}
