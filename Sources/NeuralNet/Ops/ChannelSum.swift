import TensorCore

extension Op {
  /// The sum over all rows per channel, `[N, …, C] -> [C]`: the gradient of a bias. With `averaged`, the mean.
  static let channelSum: Op = Op(
    "channel_sum", "Sum over batch and positions, per channel.", role: .derived, paddingLanes: .none,
    infer: { [ValueType(.array([$0.input.shape.channels]))] },
    kernel: { site in
      let shape = site.inputs[0].shape, rows = site.rows(site.inputs[0]), channels = shape.channels
      let factor = site.rowFactor(of: site.inputs[0]), compute = site.compute
      guard shape.rowStride == paddedChannels(channels) else { return denseSum(site, factor: factor) }
      return Kernel(scratchFloats: Channels.scratchFloats(channels: channels)) { call in
        Channels.sumRows(
          rows: rows, channels: channels, input: call.input(0), result: call.output(0), scratch: call.scratch,
          compute: compute)
        if factor != 1 { for channel in 0..<channels { call.output(0)[channel] *= factor } }
      }
    },
    gradient: { site in [try site.apply(.channelSpread, [site.outputGradient, site.inputs[0]], site.attributes)[0]] })

  /// The sum over rows that lie side by side: those of an array.
  private static func denseSum(_ site: KernelSite, factor: Float) -> Kernel {
    let layout = site.inputs[0].shape.layout(batch: site.batch), channels = site.inputs[0].shape.channels
    var strides = layout.strides.map { _ in 0 }
    if site.inputs[0].shape.rowStride > 1 { strides[strides.count - 1] = 1 }
    let result = StridedLayout(dimensions: layout.dimensions, strides: strides)
    return Kernel(scratchFloats: 2 * channels) { call in
      Strided.sum(
        call.input(0), layout, result: call.output(0), result, resultFloats: channels, scratch: call.scratch)
      for channel in 0..<channels { call.output(0)[channel] *= factor }
    }
  }

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
