import Canonical
import TensorCore

extension Op {
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
  /// Where each input's channels start in a concatenation, and how many they are.
  fileprivate var parts: [(start: Int, count: Int)] {
    var start = 0
    return inputs.map { type in
      defer { start += type.shape.channels }
      return (start, type.shape.channels)
    }
  }
}
