import LuaAPI
import NeuralNet

/// A network in the language of Graphviz: scopes are boxes, nodes say op, shape and cost. Names are quoted texts, so
/// whatever a recipe calls its scopes stays text.
package struct NetworkDOT {
  private let sketch: GraphSketch
  private let title: String

  package init(_ graph: Graph, title: String) {
    sketch = graph.sketch
    self.title = title
  }

  package var text: String {
    var lines = [
      "digraph network {",
      "  graph [label=\(Self.quoted(title)), labelloc=t, fontname=\"sans-serif\", fontsize=13, rankdir=TB, nodesep=0.3, ranksep=0.35];",
      "  node [shape=box, style=\"rounded,filled\", fillcolor=white, color=\"#5b6b7b\", fontname=\"sans-serif\", fontsize=11];",
      "  edge [color=\"#5b6b7b\", arrowsize=0.6];",
    ]
    for (index, input) in sketch.inputs.enumerated() {
      lines.append("  input\(index) [label=\(Self.quoted("\(input.name)\n\(input.shape)")), fillcolor=\"#e8eef4\"];")
    }
    lines += cluster(Array(sketch.nodes.indices), depth: 0, name: "c")
    for (index, node) in sketch.nodes.enumerated() {
      for source in node.sources { lines += edge(from: source, to: "n\(index)") }
    }
    for (index, output) in sketch.outputs.enumerated() {
      lines.append("  output\(index) [label=\(Self.quoted(output.name)), fillcolor=\"#e8eef4\"];")
      lines += edge(from: output.source, to: "output\(index)")
    }
    return (lines + ["}", ""]).joined(separator: "\n")
  }

  /// The nodes that share `depth` parts of their paths, with a box around each scope.
  private func cluster(_ nodes: [Int], depth: Int, name: String) -> [String] {
    var lines: [String] = [], scopes: [(name: Substring, nodes: [Int])] = []
    for index in nodes {
      let parts = sketch.nodes[index].path.split(separator: "/")
      guard parts.count > depth + 1 else {
        lines.append(statement(index))
        continue
      }
      if let known = scopes.firstIndex(where: { $0.name == parts[depth] }) {
        scopes[known].nodes.append(index)
      } else {
        scopes.append((parts[depth], [index]))
      }
    }
    for (number, scope) in scopes.enumerated() {
      let inner = "\(name)_\(number)"
      lines.append("  subgraph cluster_\(inner) {")
      lines.append(
        "  label=\(Self.quoted(String(scope.name))); labelloc=t; labeljust=l; style=\"rounded,filled\"; "
          + "fillcolor=\"\(depth.isMultiple(of: 2) ? "#f4f6f8" : "#e9edf1")\"; color=\"#c3ccd5\"; fontsize=11;")
      lines += cluster(scope.nodes, depth: depth + 1, name: inner) + ["  }"]
    }
    return lines
  }

  private func statement(_ index: Int) -> String {
    let node = sketch.nodes[index]
    var label = node.op + (node.attributes.isEmpty ? "" : "\n" + node.attributes) + "\n" + node.shape
    if node.parameters > 0 { label += "\n\(MetricText.grouped(node.parameters)) parameters" }
    return "  n\(index) [label=\(Self.quoted(label)), tooltip=\(Self.quoted(node.path))];"
  }

  private func edge(from source: GraphSketch.Source, to target: String) -> [String] {
    switch source {
    case .input(let index): ["  input\(index) -> \(target);"]
    case .node(let index): ["  n\(index) -> \(target);"]
    case .parameter(let path):
      [
        "  \(Self.quoted("p/" + path)) [label=\(Self.quoted(path)), shape=ellipse];",
        "  \(Self.quoted("p/" + path)) -> \(target);",
      ]
    }
  }

  /// A quoted text in which nothing has a meaning of its own; a line break is one.
  static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\u{0}"..<" ", "\u{7f}": out += " "
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}
