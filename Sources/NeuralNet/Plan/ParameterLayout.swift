/// Where the parameters of a graph lie in the flat buffers for weights, gradients and momentum.
///
/// Trained parameters come first, running statistics after them, each in the graph's order and starting on a whole
/// vector of 16 floats; the gaps are zero.
struct ParameterLayout: Hashable, Sendable {
  /// One parameter's place.
  struct Entry: Hashable, Sendable {
    let path: String
    let shape: Shape
    let kind: ParameterKind
    /// In floats from the start of the buffer.
    let offset: Int
    var count: Int { shape.elementsPerSample }
  }

  /// In the graph's order.
  let entries: [Entry]
  /// Floats of the trained part, which gradients and momentum have too.
  let trainedFloats: Int
  /// Floats of the trained part and the statistics.
  let totalFloats: Int

  init(_ graph: Graph) {
    var offsets = [Int](repeating: 0, count: graph.parameters.count), end = 0
    func place(_ isTrained: Bool) {
      for (index, parameter) in graph.parameters.enumerated() where parameter.kind.isTrained == isTrained {
        offsets[index] = end
        end += roundedToVectors(parameter.shape.elementsPerSample)
      }
    }
    place(true)
    trainedFloats = end
    place(false)
    totalFloats = end
    entries = zip(graph.parameters, offsets).map { parameter, offset in
      Entry(path: parameter.path, shape: parameter.shape, kind: parameter.kind, offset: offset)
    }
  }
}

extension ParameterLayout {
  /// The ranges of the flat buffers that some parameters take, joined where they touch and are of one kind.
  func ranges(of indices: Set<Int>) -> [(range: Range<Int>, kind: ParameterKind)] {
    var ranges: [(range: Range<Int>, kind: ParameterKind)] = []
    for (index, entry) in entries.enumerated() where indices.contains(index) {
      let end = entry.offset + roundedToVectors(entry.count)
      if let last = ranges.last, last.range.upperBound == entry.offset, last.kind == entry.kind {
        ranges[ranges.count - 1].range = last.range.lowerBound..<end
      } else {
        ranges.append((entry.offset..<end, entry.kind))
      }
    }
    return ranges
  }
}

/// The next multiple of 16: whole vectors, and 64-byte alignment.
func roundedToVectors(_ floats: Int) -> Int { (floats + 15) / 16 * 16 }
