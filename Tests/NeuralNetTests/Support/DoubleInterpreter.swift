import Canonical
import Foundation
import NeuralNet
import TensorCore

/// A tensor of doubles, `[n, dimensions…]`, dense.
struct Tensor {
  var dimensions: [Int]
  var values: [Double]

  init(_ dimensions: [Int], _ values: [Double]? = nil) {
    self.dimensions = dimensions
    self.values = values ?? [Double](repeating: 0, count: dimensions.reduce(1, *))
  }

  var channels: Int { dimensions[dimensions.count - 1] }
  var rows: Int { values.count / channels }
  func at(_ n: Int, _ h: Int, _ w: Int, _ c: Int) -> Int {
    ((n * dimensions[1] + h) * dimensions[2] + w) * dimensions[3] + c
  }
}

/// Evaluates a graph naively in double precision, straight from the definitions of the ops: the oracle for kernels,
/// plans and gradients. Batch normalisation uses the batch.
struct DoubleInterpreter {
  let graph: Graph
  var parameters: [String: [Double]]

  init(_ graph: Graph, _ weights: Weights) {
    self.graph = graph
    parameters = Dictionary(uniqueKeysWithValues: weights.arrays.map { ($0.name, $0.values.map(Double.init)) })
  }

  /// The first output.
  func output(_ input: Tensor) -> Tensor {
    var values: [Int: Tensor] = [graph.inputs[0].value: input]
    for parameter in graph.parameters {
      values[parameter.value] = Tensor(parameter.shape.dimensions, parameters[parameter.path])
    }
    for node in graph.nodes {
      values[node.outputs[0]] = evaluate(node, node.inputs.map { values[$0]! })
    }
    return values[graph.outputs[0].value]!
  }

  /// Mean cross-entropy of the first output.
  func loss(_ input: Tensor, _ labels: [Int32], smoothing: Double = 0) -> Double {
    let logits = output(input), classes = logits.channels
    var total = 0.0
    for (row, label) in labels.enumerated() {
      let x = Array(logits.values[(row * classes)..<((row + 1) * classes)])
      let highest = x.max()!, logSum = log(x.reduce(0) { $0 + exp($1 - highest) }) + highest
      for (index, value) in x.enumerated() {
        let target = (index == Int(label) ? 1 - smoothing : 0) + smoothing / Double(classes)
        total -= target * (value - logSum)
      }
    }
    return total / Double(labels.count)
  }

  private func evaluate(_ node: Graph.Node, _ inputs: [Tensor]) -> Tensor {
    let x = inputs[0]
    switch node.op.name {
    case "conv2d": return convolution(node, inputs)
    case "linear": return linear(inputs)
    case "batch_norm": return batchNorm(node, inputs)
    case "relu": return Tensor(x.dimensions, x.values.map { max(0, $0) })
    case "relu6": return Tensor(x.dimensions, x.values.map { min(max(0, $0), 6) })
    case "max_pool", "avg_pool": return pool(node, x)
    case "global_avg_pool": return globalAverage(x)
    case "add": return inputs.dropFirst().reduce(x) { Tensor(x.dimensions, zip($0.values, $1.values).map(+)) }
    case "concat": return concat(inputs)
    case "zero": return Tensor([x.dimensions[0]] + graph.values[node.outputs[0]].shape.dimensions)
    case "flatten": return Tensor([x.dimensions[0], x.values.count / x.dimensions[0]], x.values)
    default: return x
    }
  }

  private func pair(_ node: Graph.Node, _ name: String) -> (Int, Int) {
    let list = node.attributes.values[name]?.array?.compactMap(\.int) ?? [1, 1]
    return (list[0], list[1])
  }

  private func outputTensor(_ node: Graph.Node, _ x: Tensor) -> Tensor {
    Tensor([x.dimensions[0]] + graph.values[node.outputs[0]].shape.dimensions)
  }

  /// Calls the body with every tap of every output position that lies inside the image.
  private func forEachTap(
    _ node: Graph.Node, _ x: Tensor, _ y: Tensor,
    _ body: (_ n: Int, _ i: Int, _ j: Int, _ h: Int, _ w: Int, _ tap: Int) -> Void
  ) {
    let kernel = pair(node, "kernel"), stride = pair(node, "stride"), padding = pair(node, "padding")
    let dilation = pair(node, "dilation")
    for n in 0..<y.dimensions[0] {
      for i in 0..<y.dimensions[1] {
        for j in 0..<y.dimensions[2] {
          for tap in 0..<(kernel.0 * kernel.1) {
            let h = i * stride.0 - padding.0 + tap / kernel.1 * dilation.0
            let w = j * stride.1 - padding.1 + tap % kernel.1 * dilation.1
            if h >= 0, w >= 0, h < x.dimensions[1], w < x.dimensions[2] { body(n, i, j, h, w, tap) }
          }
        }
      }
    }
  }

  private func convolution(_ node: Graph.Node, _ inputs: [Tensor]) -> Tensor {
    let x = inputs[0], weight = inputs[1], groups = node.attributes.values["groups"]?.int ?? 1
    var y = outputTensor(node, x)
    let depth = weight.dimensions[2], channels = y.channels, perGroup = channels / groups
    if inputs.count > 2 { for index in y.values.indices { y.values[index] = inputs[2].values[index % channels] } }
    let shape = y
    forEachTap(node, x, shape) { n, i, j, h, w, tap in
      for o in 0..<channels {
        for c in 0..<depth {
          y.values[shape.at(n, i, j, o)] +=
            x.values[x.at(n, h, w, o / perGroup * depth + c)] * weight.values[(tap * depth + c) * channels + o]
        }
      }
    }
    return y
  }

  private func linear(_ inputs: [Tensor]) -> Tensor {
    let x = inputs[0], weight = inputs[1], features = weight.channels
    var y = Tensor([x.dimensions[0], features])
    for row in 0..<x.rows {
      for o in 0..<features {
        var sum = inputs.count > 2 ? inputs[2].values[o] : 0
        for c in 0..<x.channels { sum += x.values[row * x.channels + c] * weight.values[c * features + o] }
        y.values[row * features + o] = sum
      }
    }
    return y
  }

  private func batchNorm(_ node: Graph.Node, _ inputs: [Tensor]) -> Tensor {
    let x = inputs[0], epsilon = node.attributes.values["epsilon"]?.double ?? 0, isAffine = inputs.count > 3
    var y = x
    for c in 0..<x.channels {
      let column = stride(from: c, to: x.values.count, by: x.channels)
      let mean = column.reduce(0) { $0 + x.values[$1] } / Double(x.rows)
      let variance = column.reduce(0) { $0 + pow(x.values[$1] - mean, 2) } / Double(x.rows)
      for index in column {
        let normal = (x.values[index] - mean) / (variance + epsilon).squareRoot()
        y.values[index] = isAffine ? normal * inputs[1].values[c] + inputs[2].values[c] : normal
      }
    }
    return y
  }

  private func pool(_ node: Graph.Node, _ x: Tensor) -> Tensor {
    let kernel = pair(node, "kernel"), isMax = node.op.name == "max_pool"
    let countPadding = node.attributes.values["count_padding"]?.bool ?? true
    var y = outputTensor(node, x), counts = [Int](repeating: 0, count: y.rows)
    if isMax { y.values = y.values.map { _ in -.infinity } }
    let shape = y
    forEachTap(node, x, shape) { n, i, j, h, w, _ in
      counts[shape.at(n, i, j, 0) / shape.channels] += 1
      for c in 0..<shape.channels {
        let index = shape.at(n, i, j, c), value = x.values[x.at(n, h, w, c)]
        y.values[index] = isMax ? max(y.values[index], value) : y.values[index] + value
      }
    }
    if !isMax {
      for index in y.values.indices {
        y.values[index] /= Double(countPadding ? kernel.0 * kernel.1 : counts[index / shape.channels])
      }
    }
    return y
  }

  private func globalAverage(_ x: Tensor) -> Tensor {
    var y = Tensor([x.dimensions[0], x.channels])
    let positions = x.dimensions[1] * x.dimensions[2]
    for index in x.values.indices {
      y.values[index / (positions * x.channels) * x.channels + index % x.channels] +=
        x.values[index] / Double(positions)
    }
    return y
  }

  private func concat(_ inputs: [Tensor]) -> Tensor {
    let channels = inputs.reduce(0) { $0 + $1.channels }
    var y = Tensor(Array(inputs[0].dimensions.dropLast()) + [channels], [])
    for row in 0..<inputs[0].rows {
      for x in inputs { y.values += x.values[(row * x.channels)..<((row + 1) * x.channels)] }
    }
    return y
  }
}
