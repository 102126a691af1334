import Canonical
import TensorCore

extension Op {
  /// Dropout (Srivastava et al. 2014), scaled so that the expectation stays: each element is dropped with probability
  /// `rate`, the others are multiplied by `1 / (1 − rate)`. The identity outside training.
  static let dropout: Op = Op(
    "dropout", "Random zeros in training.",
    attributes: [AttributeSchema("rate", .number(0...0.999), standard: 0.5, "probability to drop an element")],
    paddingLanes: .carried, infer: { [$0.input] },
    expansion: { site in
      guard site.mode.dropout, site.attributes.number("rate") > 0 else { return [site.inputs[0]] }
      let mask = try site.apply(.randomMask, [site.inputs[0]], site.attributes)[0]
      return try site.apply(.mul, [site.inputs[0], mask])
    })

  /// Stochastic depth (Huang et al. 2016): a whole sample is dropped with probability `rate`, the others are multiplied
  /// by `1 / (1 − rate)`. The identity where dropout is.
  static let dropPath: Op = Op(
    "drop_path", "Whole samples dropped in training.",
    attributes: [AttributeSchema("rate", .number(0...0.999), standard: 0.1, "probability to drop a sample")],
    paddingLanes: .carried, infer: { [$0.input] },
    expansion: { site in
      guard site.mode.dropout, site.attributes.number("rate") > 0 else { return [site.inputs[0]] }
      let perSample = site.attributes.setting("per_sample", true)
      return [try site.multiply(site.inputs[0], try site.apply(.randomMask, [site.inputs[0]], perSample)[0])]
    })

  /// A dropout mask in the shape of the input: 0 or `1 / (1 − rate)`. With `per_sample`, a sample's are all equal.
  ///
  /// Each element's number is a hash of the node's key, the step and the element's index, so a mask depends neither on
  /// threads nor on the steps before, and a resumed training draws the same one.
  static let randomMask: Op = Op(
    "random_mask", "A dropout mask.", role: .derived, paddingLanes: .cleared, isRepeatable: false,
    infer: { [$0.input] },
    kernel: { site in
      let rows = site.rows(site.inputs[0]), channels = site.inputs[0].shape.channels
      let stride = site.inputs[0].shape.rowStride, rate = site.attributes.number("rate"), key = site.randomKey
      let isPerSample = site.attributes.boolean("per_sample"), rowsPerSample = max(1, rows / site.batch)
      let kept = Float(1 / (1 - rate)), threshold = UInt64(rate * 0x1p32)
      return Kernel { call in
        let mask = call.output(0), key = mix(key &+ mix(UInt64(call.step)))
        for row in 0..<rows {
          for lane in 0..<stride {
            let index = UInt64(isPerSample ? row / rowsPerSample : row &* channels &+ lane)
            let isKept = lane < channels && mix(key &+ index &* 0x9e37_79b9_7f4a_7c15) >> 32 >= threshold
            mask[row &* stride &+ lane] = isKept ? kept : 0
          }
        }
      }
    },
    gradient: { _ in [nil] })

  /// The finaliser of SplitMix64 (Steele, Lea & Flood 2014): every input bit moves half of the output bits.
  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
