import Canonical
import TensorCore

extension Op {
  /// The sum of two or more values of one shape, left to right. It expands to fewer where an input is `zero`.
  static let add: Op = Op(
    "add", "Sum of two or more values, broadcast.", arity: .atLeast(2), paddingLanes: .carried, inPlace: .anyInput,
    infer: { use in
      var shape = use.input.shape
      for (index, other) in use.inputs.enumerated().dropFirst() {
        guard let together = shape.broadcast(with: other.shape) else {
          throw use.fault(
            "input \(index + 1) has another shape", expected: shape.description, got: other.shape.description)
        }
        shape = together
      }
      return [ValueType(shape)]
    },
    kernel: { site in
      let count = site.elements(site.inputs[0]), compute = site.compute
      return Kernel { call in
        call.inputs.withMemoryRebound(to: UnsafePointer<Float>.self, capacity: call.inputCount) { terms in
          Elementwise.add(
            UnsafeBufferPointer(start: terms, count: call.inputCount), result: call.output(0), count: count,
            compute: compute)
        }
      }
    },
    expansion: { site in
      if site.inputs.contains(where: { $0.shape != site.inputs[0].shape }) {
        return [try site.inputs.dropFirst().reduce(site.inputs[0]) { try site.apply(.plus, [$0, $1])[0] }]
      }
      let terms = site.inputs.filter { !site.isZero($0) }
      if terms.count < 2 { return [terms.first ?? site.inputs[0]] }
      return try site.apply(.add, terms)
    },
    gradient: { site in site.inputs.map { _ in site.outputGradient } }, onnx: .sum)
}

extension ExpansionSite {
  /// Whether a value is known to be zero everywhere.
  fileprivate func isZero(_ value: Symbol) -> Bool {
    guard case .node(let node) = draft.graph.origins[value.id] else { return false }
    return draft.graph.nodes[node].op.name == Op.zero.name
  }
}

extension ONNXMapping {
  /// Terms that are zero everywhere are left out.
  fileprivate static let sum = ONNXMapping("Sum") { site in
    let all = Array(0..<site.count), others = all.filter { !site.isZero($0) }
    let terms = others.contains { site.shape($0) == site.output.shape } ? others : all
    let (names, axes) = site.together(terms)
    return ONNXValue(names.count == 1 ? names[0] : site.add(names.count == 2 ? "Add" : "Sum", names), axes)
  }
}
