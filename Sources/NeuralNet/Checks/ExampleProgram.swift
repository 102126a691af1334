import Canonical
import Diagnostics
import TensorCore

/// An example compiled with its derivatives: the output y, for a given output gradient u the gradients g of the inputs,
/// and for given directions w the gradients of Σ g · w by the inputs and by u.
struct ExampleProgram {
  /// Numbers for everything that a run takes.
  struct Point {
    /// The activations, then the parameters.
    var inputs: [[Float]]
    var outputGradient: [Float]
    /// One for each input that a gradient is taken by.
    var directions: [[Float]]
  }

  /// What comes out of a run. A gradient is nil where nothing depends on the input.
  struct Result: Equatable {
    var output: [Float]
    var gradients: [[Float]?]
    var second: [[Float]?]
  }

  let example: OpExample
  let attributes: Attributes
  /// The inputs and their types, the op's parameters among them.
  let inputs: [OpExample.Input]
  /// The positions of the inputs that gradients are taken by.
  let targets: [Int]
  let outputType: ValueType
  /// The names of the ops that run.
  let opNames: Set<String>
  let plan: Plan

  private let values: (output: Int, gradients: [Int?], second: [Int?])
  private let weights: Weights
  static let random = RandomSource(seed: 1, name: "check")

  init(_ example: OpExample, sharesMemory: Bool = true, compute: Compute) throws {
    let use = try example.resolved(), declared = example.op.parameters(use)
    let inputs = example.inputs + declared.map(Self.input)
    let targets = inputs.indices.filter {
      guard case .spread = inputs[$0].numbers else { return false }
      return $0 < example.inputs.count || declared[$0 - example.inputs.count].kind.isTrained
    }
    let source = GraphDraft()
    let symbols = inputs.enumerated().map { source.input("x\($0)", $1.type) }
    source.output("y", try source.apply(example.op, symbols, use.attributes, path: "op")[0])
    let draft = try source.graph.expanded(for: example.mode)
    let y = draft.symbol(draft.graph.outputs[0].value), x = draft.graph.inputs.map { draft.symbol($0.value) }
    (self.example, self.inputs, self.targets, attributes, outputType) = (
      example, inputs, targets, use.attributes, y.type
    )
    let u = draft.input("u", y.type)
    let first = example.derivatives > 0 ? try draft.gradients(of: y, from: u, wrt: targets.map { x[$0] }) : []
    let second = example.derivatives > 1 ? try Self.second(first, by: targets.map { x[$0] } + [u], draft) : []
    values = (y.id, first.map { $0?.id }, second.map { $0?.id })
    plan = try Plan(
      draft.graph, batch: OpExample.batch, kept: ([y] + (first + second).compactMap { $0 }).map(\.id),
      random: Self.random, sharesMemory: sharesMemory, fuses: false, compute: compute)
    opNames = Set(plan.steps.map(\.op)).union([example.op.name])
    weights = try Weights(draft.graph, random: Self.random)
    try plan.select(plan.decisions.map { Array($0.options.indices) })
  }

  /// A parameter as an input: statistics are positive, since one is a variance.
  private static func input(_ parameter: ParameterDeclaration) -> OpExample.Input {
    .array(parameter.dimensions, in: parameter.kind == .statistic ? 0.5...1.5 : -1...1)
  }

  /// Adds the directions, as inputs, and the gradients of the gradients' product with them.
  private static func second(_ first: [Symbol?], by targets: [Symbol], _ draft: GraphDraft) throws -> [Symbol?] {
    let gradients = first.compactMap { $0 }
    guard !gradients.isEmpty else { return [] }
    let terms = try gradients.enumerated().map { index, gradient in
      try draft.apply(.dot, [gradient, draft.input("w\(index)", gradient.type)], path: "dot")[0]
    }
    let one = try draft.apply(.constant, [], Attributes(["value": 1, "dimensions": []]), path: "one")[0]
    let sum = terms.count == 1 ? terms[0] : try draft.apply(.add, terms, path: "sum")[0]
    return try draft.gradients(of: sum, from: one, wrt: targets)
  }

  /// Random numbers for a run.
  func draw() -> Point {
    var stream = Self.random.stream(example.description)
    func direction(_ count: Int) -> [Float] {
      (0..<count).map { _ in (Float(stream.uniform()) * 512).rounded() / 256 - 1 }
    }
    let inputs = inputs.enumerated().map { place, input in
      input.draw(from: &stream, place: place, of: self.inputs.count)
    }
    return Point(
      inputs: inputs, outputGradient: direction(outputType.shape.extents(batch: OpExample.batch).reduce(1, *)),
      directions: targets.map { direction(inputs[$0].count) })
  }

  func run(_ point: Point) throws -> Result {
    // The inputs of the graph come in this order; directions only where there is a gradient.
    let directions = zip(values.gradients, point.directions).compactMap { $0 == nil ? nil : $1 }
    for (port, numbers) in zip(plan.graph.inputs, point.inputs + [point.outputGradient] + directions) {
      try numbers.withUnsafeBufferPointer { try plan.write($0, to: port) }
    }
    try plan.run(weights, step: 0)
    return Result(
      output: plan.read(values.output), gradients: values.gradients.map { $0.map { plan.read($0) } },
      second: values.second.map { $0.map { plan.read($0) } })
  }
}
