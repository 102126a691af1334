import Diagnostics
import TensorCore

/// An example of a layer as a network with numbers for everything: what exporters are checked on.
package struct ExampleNetwork {
  /// What errors call it.
  package let name: String
  package let op: String
  package let graph: Graph
  package let weights: Weights
  /// The inputs of the graph, dense, with their extents.
  package let inputs: [NamedArray]
  /// The first output for inference, dense.
  package let output: NamedArray
  /// Whether equal inputs give equal outputs.
  package let isRepeatable: Bool

  /// One for each example of every layer; see `OpExamples`.
  package static func all(compute: Compute) throws -> [ExampleNetwork] {
    try OpExamples.all.filter { $0.op.role == .layer }.map { try ExampleNetwork($0, compute: compute) }
  }

  private init(_ example: OpExample, compute: Compute) throws {
    let draft = GraphDraft(), batch = OpExample.batch
    let symbols = example.inputs.enumerated().map { draft.input("x\($0 + 1)", $1.type) }
    draft.output("y", try draft.layer(example.op, symbols, example.attributes, path: "layer")[0])
    graph = draft.graph
    weights = try Weights(graph, random: ExampleProgram.random)
    var stream = ExampleProgram.random.stream(example.description)
    let count = example.inputs.count + graph.parameters.count
    for (place, parameter) in graph.parameters.enumerated() {
      // Statistics are positive, since one is a variance.
      let numbers = OpExample.Input.array(
        parameter.shape.dimensions, in: parameter.kind == .statistic ? 0.5...1.5 : -1...1)
      try weights.set(parameter.path, numbers.draw(from: &stream, place: example.inputs.count + place, of: count))
    }
    let plan = try InferencePlan(graph, batch: batch, compute: compute)
    inputs = example.inputs.enumerated().map { place, input in
      NamedArray(
        name: "x\(place + 1)", shape: input.shape.extents(batch: batch),
        values: input.draw(from: &stream, place: place, of: count))
    }
    for (port, input) in zip(plan.inputs, inputs) {
      try input.values.withUnsafeBufferPointer { try plan.setInput($0, of: port) }
    }
    try plan.run(weights)
    output = NamedArray(
      name: "y", shape: graph.type(of: graph.outputs[0]).shape.extents(batch: batch), values: plan.output())
    (name, op, isRepeatable) = (example.description, example.op.name, example.op.isRepeatable)
  }
}
