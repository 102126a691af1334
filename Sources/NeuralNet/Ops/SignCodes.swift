import TensorCore

extension Op {
  /// A bit for each element of a sample, 1 where it is greater than 0: `[N, …]` -> `[N, words]`, the words of the sample's
  /// buffer in its order, in which padding lanes are 0.
  static let signCodes: Op = Op(
    "sign_codes", "Which elements are greater than 0, as bits.", role: .derived, paddingLanes: .cleared,
    infer: { use in
      let floats = use.input.storageElements(batch: 1)
      return [ValueType(.activation([SignCodes.words(floats)]), .int32)]
    },
    kernel: { site in
      let floats = site.inputs[0].storageElements(batch: 1), rows = site.batch, compute = site.compute
      let stride = site.outputs[0].shape.rowStride, words = site.outputs[0].shape.channels
      return Kernel { call in
        let codes = UnsafeMutableRawPointer(call.integerOutput(0)).assumingMemoryBound(to: UInt32.self)
        SignCodes.encode(
          rows: rows, count: floats, input: call.input(0), codes: codes, stride: stride, compute: compute)
        for row in 0..<rows { (codes + (row * stride + words)).update(repeating: 0, count: stride - words) }
      }
    }, gradient: { _ in [nil] })
}
