import Canonical

extension Graph {
  /// SHA-256 of the computation that the outputs depend on: ops, attributes, wiring, shapes, and how parameters start.
  ///
  /// Names and paths don't matter, nor the order in which independent nodes were built, nor nodes without effect: two
  /// recipes that build the same network get the same digest.
  public var digest: String {
    let digest = ContentDigest()
    digest.update("nasrun graph 1")
    var numbers: [Int: Int] = [:]
    for port in outputs { number(port.value, &numbers, digest) }
    for port in outputs { digest.update(UInt64(numbers[port.value] ?? 0)) }
    return digest.finish()
  }

  /// SHA-256 of the parameters' paths, shapes and kinds: weights fit a graph when this agrees.
  public var parametersDigest: String {
    let fields = parameters.map {
      JSONValue.array([.string($0.path), .string($0.shape.description), .string($0.kind.rawValue)])
    }
    return ContentDigest.of(JSONValue.array(fields))
  }

  /// Numbers the values that one depends on, depth first in the order of each node's inputs, and feeds each to the
  /// digest when its number is given. Iterative: networks can be deep.
  private func number(_ value: Int, _ numbers: inout [Int: Int], _ digest: ContentDigest) {
    var open = [value]
    while let top = open.last {
      if numbers[top] != nil {
        open.removeLast()
        continue
      }
      let inputs = if case .node(let node) = origins[top] { nodes[node].inputs } else { [Int]() }
      let missing = inputs.filter { numbers[$0] == nil }
      if missing.isEmpty {
        digest.update(description(of: top, numbers).text())
        numbers[top] = numbers.count
        open.removeLast()
      } else {
        open += missing.reversed()
      }
    }
  }

  private func description(of value: Int, _ numbers: [Int: Int]) -> JSONValue {
    switch origins[value] {
    case .input(let index):
      return ["input": .int(index), "shape": .string(values[value].shape.description)]
    case .parameter(let index):
      let parameter = parameters[index]
      return [
        "parameter": .string(parameter.kind.rawValue), "shape": .string(parameter.shape.description),
        "start": parameter.initialiser.json,
      ]
    case .node(let index):
      let node = nodes[index]
      return [
        "op": .string(node.op.name), "attributes": .object(node.attributes.values),
        "inputs": .array(node.inputs.map { .int(numbers[$0] ?? -1) }),
        "output": .int(node.outputs.firstIndex(of: value) ?? 0),
      ]
    }
  }
}
