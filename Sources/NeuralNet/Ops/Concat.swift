import Canonical
import TensorCore

extension Op {
  /// Values side by side along an axis, the channels by default; the batch can't be one. Other extents must be equal.
  static let concat: Op = Op(
    "concat", "Values side by side along an axis, the last by default.", arity: .atLeast(2),
    attributes: [axisAttribute("along which they are joined")], paddingLanes: .carried,
    resolve: { use in
      use.attributes.setting("axis", .int(try use.axis(use.attributes.integer("axis"), of: use.input.shape) + 1))
    },
    infer: { [ValueType(try joinedShape($0))] },
    kernel: { site in
      let parts = site.parts
      guard site.isAlongChannels else { return joining(site, parts) }
      let rows = site.rows(site.outputs[0]), channels = site.outputs[0].shape.channels, compute = site.compute
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
      let axis = site.attributes.integer("axis"), shape = site.outputs[0].shape
      let isAlongChannels = shape.hasBatch && axis == shape.rank
      var start = 0
      return try site.inputs.indices.map { index in
        let count = site.inputs[index].shape.symbolic[axis - 1] ?? 0
        defer { start += count }
        guard isAlongChannels else {
          let part = Attributes(["axis": .int(axis), "start": .int(start + 1), "stop": .int(start + count)])
          return try site.apply(.slice, [site.outputGradient], part, for: index)
        }
        let slice: [String: JSONValue] = ["start": .int(start), "channels": .int(count)]
        return try site.apply(.channelSlice, [site.outputGradient], Attributes(slice), for: index)
      }
    },
    onnx: ONNXMapping("Concat") { site in
      let (names, axes) = site.together(), axis = axes.firstIndex(of: site.attributes.integer("axis") - 1) ?? 0
      return ONNXValue(site.add("Concat", names, ["axis": .int(axis)]), axes)
    })

  /// The shape of values side by side.
  private static func joinedShape(_ use: OpUse) throws -> Shape {
    let axis = use.attributes.integer("axis") - 1, first = use.input.shape.symbolic
    guard first[axis] != nil else { throw use.fault("the batch can't be the axis", hint: "Join along another axis.") }
    var extents = first
    for (index, other) in use.inputs.enumerated().dropFirst() {
      let symbolic = other.shape.symbolic
      guard symbolic.count == first.count, first.indices.allSatisfy({ $0 == axis || symbolic[$0] == first[$0] }) else {
        throw use.fault(
          "input \(index + 1) has another shape beside axis \(axis + 1)", expected: use.input.shape.description,
          got: other.shape.description)
      }
      extents[axis] = (extents[axis] ?? 0) + (symbolic[axis] ?? 0)
    }
    return Shape(symbolic: extents) ?? use.input.shape
  }

  /// Values side by side along any axis, one strided copy after the other.
  private static func joining(_ site: KernelSite, _ parts: [(start: Int, count: Int)]) -> Kernel {
    let layout = site.outputs[0].shape.layout(batch: site.batch), floats = site.elements(site.outputs[0])
    let step = layout.strides[site.attributes.integer("axis") - 1], hasLanes = site.outputs[0].shape.paddingLanes > 0
    let sources = site.inputs.map { $0.shape.layout(batch: site.batch) }
    return Kernel { call in
      if hasLanes { call.output(0).update(repeating: 0, count: floats) }
      for (index, source) in sources.enumerated() {
        Strided.copy(
          call.input(index), source, to: call.output(0) + parts[index].start * step, layout.block(source.dimensions))
      }
    }
  }

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
    },
    gradient: { site in
      let place = Attributes([
        "start": site.attributes["start"] ?? 0, "channels": .int(site.inputs[0].shape.channels),
      ])
      return [try site.apply(.channelPlace, [site.outputGradient], place)[0]]
    })

  /// The input as the channels from `start` on among `channels`, the others zero.
  static let channelPlace: Op = Op(
    "channel_place", "Channels among zeros.", role: .derived, paddingLanes: .carried,
    infer: { use in
      [ValueType(.activation(use.input.shape.dimensions.dropLast() + [use.attributes.integer("channels")]))]
    },
    kernel: { site in
      let rows = site.rows(site.inputs[0]), start = site.attributes.integer("start"), compute = site.compute
      let count = site.inputs[0].shape.channels, to = site.outputs[0].shape.channels
      let floats = site.elements(site.outputs[0])
      return Kernel { call in
        call.output(0).update(repeating: 0, count: floats)
        Channels.copy(
          rows: rows, input: call.input(0), inputChannels: count, first: 0, count: count, result: call.output(0),
          resultChannels: to, resultFirst: start, compute: compute)
      }
    },
    gradient: { site in
      let slice: [String: JSONValue] = [
        "start": site.attributes["start"] ?? 0, "channels": .int(site.inputs[0].shape.channels),
      ]
      return [try site.apply(.channelSlice, [site.outputGradient], Attributes(slice))[0]]
    })
}

extension KernelSite {
  /// Whether a concatenation joins padded rows.
  fileprivate var isAlongChannels: Bool {
    outputs[0].shape.hasBatch && attributes.integer("axis") == outputs[0].shape.rank
  }

  /// Where each input's part of a concatenation starts along its axis, and its extent.
  fileprivate var parts: [(start: Int, count: Int)] {
    let axis = attributes.integer("axis") - 1
    var start = 0
    return inputs.map { type in
      let count = type.shape.symbolic[axis] ?? 0
      defer { start += count }
      return (start, count)
    }
  }
}
