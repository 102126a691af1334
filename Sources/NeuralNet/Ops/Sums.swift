import Canonical
import TensorCore

extension Op {
  /// The sum of two or more values of one shape, left to right. It expands to fewer where an input is `zero`.
  static let add: Op = Op(
    "add", "Sum of two or more values.", arity: .atLeast(2), paddingLanes: .carried, inPlace: .anyInput,
    infer: { use in
      for (index, other) in use.inputs.enumerated().dropFirst() where other != use.input {
        throw use.fault(
          "input \(index + 1) has another shape", expected: use.input.shape.description, got: other.shape.description)
      }
      return [use.input]
    },
    kernel: { site in
      let count = site.elements(site.inputs[0]), inputs = site.inputs.count, compute = site.compute
      return Kernel { call in
        call.inputs.withMemoryRebound(to: UnsafePointer<Float>.self, capacity: inputs) { terms in
          Elementwise.add(
            UnsafeBufferPointer(start: terms, count: inputs), result: call.output(0), count: count, compute: compute)
        }
      }
    },
    expansion: { site in
      let terms = site.inputs.filter { !site.isZero($0) }
      if terms.count < 2 { return [terms.first ?? site.inputs[0]] }
      return try site.apply(.add, terms)
    },
    gradient: { site in site.inputs.map { _ in site.outputGradient } }, onnx: ONNXMapping("Sum"))

  /// Zeros with the shape of the input, or of every `stride`-th row and column of it: NAS-Bench-201's `none`.
  static let zero: Op = Op(
    "zero", "Zeros in the shape of the input.",
    attributes: [AttributeSchema("stride", .pair(1...1024), standard: 1, "step between the rows and columns kept")],
    paddingLanes: .carried,
    infer: { use in
      let stride = use.attributes.pair("stride")
      guard stride != Extent(height: 1, width: 1) else { return [use.input] }
      let input = try use.image()
      let height = (input.height + stride.height - 1) / stride.height
      return [ValueType(.image(height, (input.width + stride.width - 1) / stride.width, input.channels))]
    },
    kernel: { fill(0, $0) }, gradient: { _ in [nil] }, onnx: ONNXMapping("ConstantOfShape"))

  /// An array of one value, without inputs: where a gradient starts.
  static let constant: Op = Op(
    "constant", "An array of one value.", role: .derived, arity: .exactly(0), paddingLanes: .none,
    infer: { [ValueType(.array($0.attributes.integers("dimensions")))] },
    kernel: { fill(Float($0.attributes.number("value")), $0) }, gradient: { _ in [] })

  private static func fill(_ value: Float, _ site: KernelSite) -> Kernel {
    let count = site.elements(site.outputs[0])
    return Kernel { call in call.output(0).update(repeating: value, count: count) }
  }

  /// Values side by side along the channels.
  static let concat: Op = Op(
    "concat", "Values side by side along the channels.", arity: .atLeast(2), paddingLanes: .carried,
    infer: { use in
      let first = use.input.shape
      for (index, other) in use.inputs.enumerated().dropFirst()
      where other.shape.dimensions.dropLast() != first.dimensions.dropLast() {
        throw use.fault(
          "input \(index + 1) has another height or width", expected: first.description, got: other.shape.description)
      }
      let channels = use.inputs.reduce(0) { $0 + $1.shape.channels }
      return [ValueType(.activation(first.dimensions.dropLast() + [channels]))]
    },
    kernel: { site in
      let rows = site.rows(site.outputs[0]), channels = site.outputs[0].shape.channels, compute = site.compute
      let parts = site.parts
      return Kernel { call in
        for index in parts.indices {
          Channels.copy(
            rows: rows, input: call.input(index), inputChannels: parts[index].count, first: 0,
            count: parts[index].count, result: call.output(0), resultChannels: channels,
            resultFirst: parts[index].start, compute: compute)
        }
      }
    },
    gradient: { site in
      var start = 0
      return try site.inputs.indices.map { index in
        let channels = site.inputs[index].shape.channels
        defer { start += channels }
        let slice: [String: JSONValue] = ["start": .int(start), "channels": .int(channels)]
        return try site.apply(.channelSlice, [site.outputGradient], Attributes(slice), for: index)
      }
    },
    onnx: ONNXMapping("Concat") { _ in ["axis": 1] })

  /// `channels` channels from `start` on.
  static let channelSlice: Op = Op(
    "channel_slice", "Some of the channels.", role: .derived, paddingLanes: .carried,
    infer: { use in
      [ValueType(.activation(use.input.shape.dimensions.dropLast() + [use.attributes.integer("channels")]))]
    },
    kernel: { site in
      let rows = site.rows(site.inputs[0]), start = site.attributes.integer("start"), compute = site.compute
      let from = site.inputs[0].shape.channels, count = site.outputs[0].shape.channels
      return Kernel { call in
        Channels.copy(
          rows: rows, input: call.input(0), inputChannels: from, first: start, count: count, result: call.output(0),
          resultChannels: count, resultFirst: 0, compute: compute)
      }
    })
}

extension KernelSite {
  /// Where each input's channels start in a concatenation, and how many they are.
  fileprivate var parts: [(start: Int, count: Int)] {
    var start = 0
    return inputs.map { type in
      defer { start += type.shape.channels }
      return (start, type.shape.channels)
    }
  }
}

extension ExpansionSite {
  /// Whether a value is known to be zero everywhere.
  fileprivate func isZero(_ value: Symbol) -> Bool {
    guard case .node(let node) = draft.graph.origins[value.id] else { return false }
    return draft.graph.nodes[node].op.name == Op.zero.name
  }
}
