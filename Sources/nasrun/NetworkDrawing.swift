import LuaAPI
import NeuralNet

/// A network as text: nodes in order, scopes as blocks with their totals.
///
///     input                                32×32×3
///     ┌ stem                                            464   442,368
///     │ conv2d1      conv2d kernel 3×3     32×32×16     432   442,368
///     │ batch_norm1  batch_norm            32×32×16      32
///     linear1        linear                10           170       160
///
/// What a node takes is told where it isn't the node before it. Scopes are folded, the deepest first, until the drawing
/// has at most `lines` lines.
package struct NetworkDrawing {
  private let sketch: GraphSketch
  private let lines: Int

  package init(_ graph: Graph, lines: Int = 60) {
    sketch = graph.sketch
    self.lines = lines
  }

  /// One line of the drawing before its columns are aligned.
  private struct Line {
    var name: String
    var op = ""
    var shape = ""
    var parameters = 0
    var macs = 0
    var from = ""
  }

  package var text: String {
    let deepest = sketch.nodes.map { $0.path.split(separator: "/").count }.max() ?? 1
    var body = draw(0..<sketch.nodes.count, depth: 0, unfolded: deepest)
    for depth in stride(from: deepest - 1, through: 1, by: -1) where body.count > lines {
      body = draw(0..<sketch.nodes.count, depth: 0, unfolded: depth)
    }
    let inputs = sketch.inputs.map { Line(name: $0.name, shape: $0.shape) }
    let outputs = sketch.outputs.map {
      Line(name: $0.name, from: "← " + name(of: $0.source, from: "", unfolded: deepest))
    }
    return table(inputs + body + outputs).text
  }

  private func table(_ lines: [Line]) -> TextTable {
    let total = Line(
      name: "total", parameters: sketch.nodes.reduce(0) { $0 + $1.parameters },
      macs: sketch.nodes.reduce(0) { $0 + $1.macs })
    var table = TextTable(columns: [
      .left("NODE"), .left("OP"), .left("OUTPUT"), .right("PARAMETERS"), .right("MACS"), .left("TAKES"),
    ])
    table.rows = (lines + [total]).map { line in
      let numbers = [line.parameters, line.macs].map { $0 == 0 ? "" : MetricText.grouped($0) }
      return [line.name, line.op, line.shape] + numbers + [line.from]
    }
    return table
  }

  /// The lines of some nodes that share `depth` parts of their paths.
  private func draw(_ range: Range<Int>, depth: Int, unfolded: Int) -> [Line] {
    var lines: [Line] = [], index = range.lowerBound
    while index < range.upperBound {
      let parts = sketch.nodes[index].path.split(separator: "/")
      guard parts.count > depth + 1 else {
        lines.append(leaf(index, unfolded: unfolded))
        index += 1
        continue
      }
      let end =
        range[index...].first { other in
          let others = sketch.nodes[other].path.split(separator: "/")
          return others.count <= depth + 1 || others[depth] != parts[depth]
        } ?? range.upperBound
      lines += block(String(parts[depth]), index..<end, depth: depth, unfolded: unfolded)
      index = end
    }
    return lines
  }

  private func block(_ name: String, _ range: Range<Int>, depth: Int, unfolded: Int) -> [Line] {
    let nodes = sketch.nodes[range]
    var head = Line(name: "┌ " + name, shape: "")
    head.parameters = nodes.reduce(0) { $0 + $1.parameters }
    head.macs = nodes.reduce(0) { $0 + $1.macs }
    guard depth + 1 < unfolded else {
      head.name = "▪ " + name
      head.op = "\(range.count) node\(range.count == 1 ? "" : "s")"
      head.shape = nodes.last?.shape ?? ""
      head.from = takes(range, unfolded: unfolded)
      return [head]
    }
    return [head]
      + draw(range, depth: depth + 1, unfolded: unfolded).map { line in
        var line = line
        line.name = "│ " + line.name
        return line
      }
  }

  private func leaf(_ index: Int, unfolded: Int) -> Line {
    let node = sketch.nodes[index]
    return Line(
      name: node.path.split(separator: "/").last.map(String.init) ?? node.path,
      op: node.attributes.isEmpty ? node.op : node.op + " " + node.attributes, shape: node.shape,
      parameters: node.parameters, macs: node.macs, from: takes(index..<index + 1, unfolded: unfolded))
  }

  /// What some nodes take from outside; nothing when that is the node before them alone.
  private func takes(_ range: Range<Int>, unfolded: Int) -> String {
    var sources: [GraphSketch.Source] = []
    for source in sketch.nodes[range].flatMap(\.sources) where !sources.contains(source) {
      if case .node(let index) = source, range.contains(index) { continue }
      sources.append(source)
    }
    let before: GraphSketch.Source = range.lowerBound == 0 ? .input(0) : .node(range.lowerBound - 1)
    guard sources != [before] else { return "" }
    let scope = sketch.nodes[range.lowerBound].path.split(separator: "/").dropLast().prefix(unfolded - 1)
    let names = sources.map { name(of: $0, from: scope.joined(separator: "/"), unfolded: unfolded) }
    return names.isEmpty ? "" : "← " + names.joined(separator: ", ")
  }

  /// What a source is called in a scope: without the scope's own path, and a folded block by its name alone.
  private func name(of source: GraphSketch.Source, from scope: String, unfolded: Int) -> String {
    switch source {
    case .input(let index): return sketch.inputs[index].name
    case .parameter(let path): return path
    case .node(let index):
      let path = sketch.nodes[index].path.split(separator: "/").prefix(unfolded).joined(separator: "/")
      return !scope.isEmpty && path.hasPrefix(scope + "/") ? String(path.dropFirst(scope.count + 1)) : path
    }
  }
}
