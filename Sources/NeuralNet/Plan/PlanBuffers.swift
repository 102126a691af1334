import Diagnostics
import TensorCore

extension Plan {
  /// Writes dense numbers, `[samples, …, channels]`, into the padded buffer of an input. Samples beyond those given
  /// repeat the first, so that every number is one that the network may get: an index of an embedding, for example.
  func write(_ dense: UnsafeBufferPointer<Float>, to port: Graph.Port) throws {
    let shape = graph.values[port.value].shape
    guard !dense.isEmpty, dense.count % shape.elementsPerSample == 0, dense.count <= batch * shape.elementsPerSample
    else {
      throw Fault(
        .recipe, "wrong number of values for a batch", path: port.name,
        expected: "\(batch) × \(shape.elementsPerSample)", got: "\(dense.count)")
    }
    guard let source = dense.baseAddress, let buffer = buffer(port.value) else { return }
    let target = buffer.assumingMemoryBound(to: Float.self)
    if shape.rowStride > shape.channels {
      Channels.pad(
        rows: dense.count / shape.channels, channels: shape.channels, dense: source, padded: target, compute: compute)
    } else {
      target.update(from: source, count: dense.count)
    }
    let samples = dense.count / shape.elementsPerSample, floats = shape.rows(batch: 1) * shape.rowStride
    for sample in samples..<(shape.hasBatch ? batch : samples) {
      target.advanced(by: sample * floats).update(from: target, count: floats)
    }
  }

  /// The ops whose outputs have something else than zeros in their padding lanes: there must be none. It can tell only
  /// where every value has a buffer of its own.
  package func opsWithDirtyLanes() -> [String] {
    graph.nodes.filter { node in
      node.outputs.contains { output in
        let shape = graph.values[output].shape
        guard graph.values[output].element == .float, shape.hasBatch, !shape.dimensions.isEmpty,
          let buffer = buffer(output)
        else { return false }
        let words = buffer.assumingMemoryBound(to: UInt32.self), stride = paddedChannels(shape.channels)
        return (0..<shape.rows(batch: batch)).contains { row in
          (shape.channels..<stride).contains { words[row * stride + $0] & 0x7fff_ffff != 0 }
        }
      }
    }.map(\.op.name)
  }

  /// The first samples of a kept value, or all, as dense numbers.
  func read(_ value: Int, samples: Int? = nil) -> [Float] {
    let shape = graph.values[value].shape, samples = min(samples ?? batch, batch)
    let rows = shape.rows(batch: samples), channels = shape.channels
    guard let buffer = buffer(value) else { return [] }
    let source = buffer.assumingMemoryBound(to: Float.self), stride = shape.rowStride
    return [Float](unsafeUninitializedCapacity: rows * channels) { dense, filled in
      guard let target = dense.baseAddress else { return }
      for row in 0..<rows {
        target.advanced(by: row &* channels).update(from: source.advanced(by: row &* stride), count: channels)
      }
      filled = rows * channels
    }
  }

  /// The gradient of one parameter after a run, dense; nil for a path without one.
  func gradient(of path: String) -> [Float]? {
    guard let index = layout.entries.firstIndex(where: { $0.path == path }), parametersWithGradient.contains(index)
    else {
      return nil
    }
    let entry = layout.entries[index]
    return Array(UnsafeBufferPointer(start: gradients.pointer.advanced(by: entry.offset), count: entry.count))
  }
}
