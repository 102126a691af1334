import Canonical
import Diagnostics
import TensorCore
import Testing

@testable import NeuralNet

private typealias TapeTensor = NeuralNet.Tensor

/// Eager computation and its gradients: against plans bit for bit, and against closed forms.
@Suite struct TapeTests {
  private func tape() throws -> Tape {
    try Tape(compute: try Compute()) { 1 }
  }

  /// The graph op by op on the tape, through the public form of each op.
  private func run(
    _ graph: Graph, _ input: TapeTensor, _ parameters: [String: TapeTensor], on tape: Tape
  ) throws -> TapeTensor {
    var values: [Int: TapeTensor] = [graph.inputs[0].value: input]
    for parameter in graph.parameters { values[parameter.value] = parameters[parameter.path] }
    for node in graph.nodes {
      let inputs = node.inputs.compactMap { values[$0] }
      values[node.outputs[0]] = try tape.applyNode(node.op, inputs, node.attributes)
    }
    return try #require(values[graph.outputs[0].value])
  }

  /// Output, input gradient and parameter gradients of the tape have the bits of the plan, both compiled as one node
  /// and run by itself.
  @Test(arguments: SmallNetworks.all + SmallNetworks.moving)
  func aPlanAndTheTapeAgree(network: SmallNetworks.Case) throws {
    let graph = try SmallNetworks.graph(network), compute = try Compute(), batch = 3
    let weights = try Weights(graph, random: RandomSource(seed: 3, name: network.name))
    let numbers = SmallNetworks.numbers(batch * network.input.reduce(1, *))
    let outputGradient = SmallNetworks.numbers(batch * 4, seed: 2)
    func tensors() throws -> (TapeTensor, [String: TapeTensor]) {
      let parameters = try graph.parameters.map { parameter in
        let values = try #require(weights[parameter.path])
        let tensor = try TapeTensor(
          parameter.shape.dimensions, values, requiresGradient: parameter.kind.isTrained)
        return (parameter.path, tensor)
      }
      let input = try TapeTensor([batch] + network.input, numbers, requiresGradient: true)
      return (input, Dictionary(uniqueKeysWithValues: parameters))
    }

    let random = RandomSource(seed: 0, name: "test")
    let plan = try GradientPlan(graph, batch: batch, mode: .training, random: random, compute: compute)
    let expected = try plan.run([numbers], outputGradient: outputGradient, try weights.copy())
    let seed = try TapeTensor([batch, 4], outputGradient)

    for isCompiled in [false, true] {
      let tape = try tape(), (input, parameters) = try tensors()
      let ordered = graph.parameters.compactMap { parameters[$0.path] }
      let output =
        isCompiled
        ? try PlanFunction(graph, batch: batch, mode: .training, random: random, compute: compute)(
          [input], parameters: ordered, on: tape)
        : try run(graph, try tape.batch(input), parameters, on: tape)
      #expect(output.values == expected.output)
      let targets = [input] + ordered.filter(\.requiresGradient)
      let gradients = try tape.gradients(of: output, seed: try tape.batch(seed), wrt: targets)
      // Fused nodes add up gradients in another order.
      func agree(_ a: [Float]?, _ b: [Float]?) -> Bool {
        a == b || relativeError(a ?? [], b ?? []) < 2e-6
      }
      #expect(agree(gradients[0]?.values, expected.inputGradients[0]))
      let trained = graph.parameters.filter(\.kind.isTrained)
      for (parameter, gradient) in zip(trained, gradients.dropFirst()) {
        #expect(agree(gradient?.values, plan.gradient(of: parameter.path)), "\(parameter.path)")
      }
    }
  }

  /// Gradients of a compiled network are those of their own call, whatever was called since and how often they are asked.
  @Test func aCompiledNetworksCallsDoNotMix() throws {
    let network = try #require(SmallNetworks.all.first { $0.name.hasPrefix("batch_norm") })
    let graph = try SmallNetworks.graph(network), tape = try tape(), compute = try Compute()
    let function = try PlanFunction(
      graph, batch: 3, mode: .training, random: RandomSource(seed: 0, name: "test"), compute: compute)
    let weights = try Weights(graph, random: RandomSource(seed: 3, name: "test"))
    func call(_ seed: UInt64) throws -> (input: TapeTensor, output: TapeTensor) {
      let parameters = try graph.parameters.map {
        try TapeTensor($0.shape.dimensions, try #require(weights[$0.path]), requiresGradient: $0.kind.isTrained)
      }
      let shape = [3] + graph.type(of: graph.inputs[0]).shape.dimensions
      let numbers = SmallNetworks.numbers(shape.reduce(1, *), seed: seed)
      let input = try TapeTensor(shape, numbers, requiresGradient: true)
      return (input, try function([input], parameters: parameters, on: tape))
    }
    func gradient(_ call: (input: TapeTensor, output: TapeTensor)) throws -> [Float]? {
      let seed = try TapeTensor([3, 4], SmallNetworks.numbers(12, seed: 9))
      return try tape.gradients(of: call.output, seed: seed, wrt: [call.input])[0]?.values
    }
    let first = try call(1), expected = try #require(try gradient(first))
    #expect(try gradient(first) == expected)
    let second = try call(2), other = try #require(try gradient(second))
    #expect(other != expected)
    #expect(try gradient(first) == expected)
    #expect(try gradient(second) == other)
  }

  /// The gradient of a compiled network that is recorded has gradients: the Hessian's product with a vector is that of
  /// the same network run op by op, and the first gradient that of the plan, dropout's draws among it.
  @Test(arguments: SmallNetworks.all + SmallNetworks.moving + SmallNetworks.smooth)
  func aCompiledNetworkHasSecondGradients(network: SmallNetworks.Case) throws {
    let graph = try SmallNetworks.graph(network), compute = try Compute(), batch = 3
    let mode = ExecutionMode(batchNorm: .batch(updating: false), dropout: true)
    let random = RandomSource(seed: 0, name: "test")
    let weights = try Weights(graph, random: RandomSource(seed: 3, name: network.name))
    let function = try PlanFunction(graph, batch: batch, mode: mode, random: random, compute: compute)
    let numbers = SmallNetworks.numbers(batch * network.input.reduce(1, *))

    func products(isCompiled: Bool) throws -> (first: [[Float]?], second: [[Float]?]) {
      let tape = try tape()
      tape.mode = mode
      let parameters = try graph.parameters.map {
        try TapeTensor($0.shape.dimensions, try #require(weights[$0.path]), requiresGradient: $0.kind.isTrained)
      }
      let input = try TapeTensor([batch] + network.input, numbers, requiresGradient: true)
      let named = Dictionary(uniqueKeysWithValues: zip(graph.parameters.map(\.path), parameters))
      let output =
        isCompiled
        ? try function([input], parameters: parameters, on: tape)
        : try run(graph, try tape.batch(input), named, on: tape)
      let loss = try tape.apply("sum", [try tape.apply("mul", [output, output])])
      let targets = [input] + parameters.filter(\.requiresGradient)
      let first = try tape.gradients(of: loss, wrt: targets, createGraph: true)
      let terms = try zip(targets, first).enumerated().compactMap { index, pair in
        try pair.1.map { gradient in
          let direction = try TapeTensor(
            pair.0.shape, SmallNetworks.numbers(pair.0.count, seed: UInt64(index + 5)))
          return try tape.apply("sum", [try tape.apply("mul", [gradient, direction])])
        }
      }
      let sum = terms.count == 1 ? terms[0] : try tape.apply("add", terms)
      let second = try tape.gradients(of: sum, wrt: targets)
      if isCompiled {
        let plain = try tape.gradients(of: loss, wrt: targets)
        for (recorded, compiled) in zip(first, plain) {
          #expect((recorded == nil) == (compiled == nil))
          #expect(relativeError(recorded?.values ?? [0], compiled?.values ?? [0]) < 1e-5)
        }
      }
      return (first.map { $0?.values }, second.map { $0?.values })
    }

    let compiled = try products(isCompiled: true)
    guard !graph.nodes.contains(where: { ["dropout", "drop_path"].contains($0.op.name) }) else { return }
    let eager = try products(isCompiled: false)
    // One that is absent is zero.
    let pairs = zip(compiled.second, eager.second).map { a, b in
      let zero = [Float](repeating: 0, count: (a ?? b)?.count ?? 0)
      return (a ?? zero, b ?? zero)
    }
    #expect(relativeError(pairs.flatMap(\.0), pairs.flatMap(\.1)) < 1e-4)
  }

  @Test func gradientsOfGradientsOfACubic() throws {
    let tape = try tape(), x = try TapeTensor([3], [1, -2, 0.5], requiresGradient: true)
    let square = try tape.apply("mul", [x, x])
    let cube = try tape.apply("mul", [square, x])
    let ones = try TapeTensor([3], [1, 1, 1])
    let first = try #require(try tape.gradients(of: cube, seed: ones, wrt: [x], createGraph: true)[0])
    #expect(first.values == [3, 12, 0.75])
    let second = try #require(try tape.gradients(of: first, seed: ones, wrt: [x], createGraph: true)[0])
    #expect(second.values == [6, -12, 3])
    #expect(try tape.gradients(of: second, seed: ones, wrt: [x])[0]?.values == [6, 6, 6])
  }

  /// The product of the Hessian of ½ xᵀ A x with v is ½ (A + Aᵀ) v.
  @Test func theHessianOfAQuadraticIsItsMatrix() throws {
    let size = 5, tape = try tape()
    let a = SmallNetworks.numbers(size * size, seed: 3), v = SmallNetworks.numbers(size, seed: 4)
    let x = try TapeTensor([size, 1], SmallNetworks.numbers(size), requiresGradient: true)
    let matrix = try TapeTensor([size, size], a), direction = try TapeTensor([size, 1], v)
    let product = try tape.apply("mul", [x, try tape.apply("matmul", [matrix, x])])
    let quadratic = try tape.scaled(try tape.apply("sum", [product]), by: 0.5)
    let first = try #require(try tape.gradients(of: quadratic, wrt: [x], createGraph: true)[0])
    let along = try tape.apply("sum", [try tape.apply("mul", [first, direction])])
    let actual = try #require(try tape.gradients(of: along, wrt: [x])[0])
    let expected = (0..<size).map { row in
      (0..<size).reduce(Float(0)) { $0 + (a[row * size + $1] + a[$1 * size + row]) / 2 * v[$1] }
    }
    #expect(relativeError(actual.values, expected) < 1e-6)
  }

  /// Gradients of gradients on the tape against PyTorch's double backward.
  @Test(arguments: SecondOrderTests.smooth)
  func secondOrderMatchesPyTorch(reference: ReferenceFile.Case) throws {
    let tape = try tape(), shape = try #require(reference.shapes["input"])
    func tensor(_ name: String) throws -> TapeTensor {
      try TapeTensor(shape, try #require(reference.floats[name]), requiresGradient: name == "input")
    }
    let x = try tensor("input"), op = try OpTable.layer(reference.op)
    let y = try tape.apply(op.name, [x], attributes: reference.attributes)
    let first = try #require(try tape.gradients(of: y, seed: try tensor("u"), wrt: [x], createGraph: true)[0])
    let sum = try tape.apply("sum", [try tape.apply("mul", [first, try tensor("v")])])
    let second = try #require(try tape.gradients(of: sum, wrt: [x])[0])
    #expect(relativeError(second.values, try #require(reference.floats["second"])) < 1e-5)
  }

  /// The product of a Hessian with a vector, through convolutions, batch normalisation and pooling, against PyTorch.
  @Test func aNetworksHessianMatchesPyTorch() throws {
    let reference = try #require(try ReferenceFile("second_order").cases.first { $0.op == "hessian_vector" })
    let graph = try SecondOrderTests.network(), tape = try tape()
    tape.mode = ExecutionMode(batchNorm: .batch(updating: false), dropout: false)
    let trained = graph.parameters.filter(\.kind.isTrained)
    var parameters: [String: TapeTensor] = [:]
    for parameter in graph.parameters {
      let shape = parameter.shape.dimensions
      let values = reference.floats[parameter.path] ?? [Float](repeating: 0, count: shape.reduce(1, *))
      parameters[parameter.path] = try TapeTensor(shape, values, requiresGradient: parameter.kind.isTrained)
    }
    let input = try tape.batch(try TapeTensor([4, 8, 8, 3], try #require(reference.floats["input"])))
    let labels = try #require(reference.integers["labels"]).map { Float($0 + 1) }
    let loss = try tape.applyNode(
      .crossEntropy, [try run(graph, input, parameters, on: tape), try tape.batch(try TapeTensor([4], labels))],
      Attributes(["label_smoothing": 0.1]))
    #expect(relativeError(loss.values, try #require(reference.floats["loss"])) < 3e-6)

    let targets = try trained.map { try #require(parameters[$0.path]) }
    let gradients = try tape.gradients(of: loss, wrt: targets, createGraph: true)
    let terms = try zip(trained, gradients).map { parameter, gradient in
      let direction = try TapeTensor(
        parameter.shape.dimensions, try #require(reference.floats["direction/\(parameter.path)"]))
      return try tape.applyNode(.dot, [try #require(gradient), direction], Attributes())
    }
    let sum = try tape.applyNode(.add, terms, Attributes())
    for (parameter, product) in zip(trained, try tape.gradients(of: sum, wrt: targets)) {
      let expected = try #require(reference.floats["product/\(parameter.path)"])
      #expect(relativeError(try #require(product).values, expected) < 1e-4, "\(parameter.path)")
    }
  }

  @Test func backwardAddsToLeaves() throws {
    let tape = try tape(), x = try TapeTensor([], [3], requiresGradient: true)
    for count in 1...2 {
      try tape.backward(try tape.apply("mul", [x, x]))
      #expect(x.gradient?.values == [Float(6 * count)])
    }
    let other = try tape.recording(false) { try tape.apply("mul", [x, x]) }
    #expect(throws: Fault.self) { try tape.backward(other) }
    #expect(throws: Fault.self) { try tape.backward(try TapeTensor([2], [1, 2], requiresGradient: true)) }
  }

  /// A gradient never uses numbers that came later than the computation; those that it doesn't need may change.
  @Test func aChangeInPlaceIsNoticed() throws {
    let tape = try tape(), w = try TapeTensor([], [3], requiresGradient: true)
    w.name = "w"
    let square = try tape.apply("mul", [w, w]), sum = try tape.apply("add", [w, w])
    let root = try tape.apply("sqrt", [square])
    try w.set([5])
    #expect(try tape.gradients(of: sum, wrt: [w])[0]?.values == [2])
    let fault = #expect(throws: Fault.self) { _ = try tape.gradients(of: square, wrt: [w]) }
    #expect(
      fault?.description
        == "w: a tensor that the gradient needs was changed in place after it was used: expected input 1 of mul as it "
        + "was then, got [], changed by tensor:set or an optimiser's step. Take all gradients before the change, or "
        + "compute again what depends on the tensor.")
    #expect(try tape.gradients(of: root, wrt: [square])[0]?.values == [1 / 6])
    try root.set([1])
    #expect(throws: Fault.self) { _ = try tape.gradients(of: root, wrt: [square]) }
    #expect(try tape.gradients(of: try tape.apply("mul", [w, w]), wrt: [w])[0]?.values == [10])
  }

  /// An optimiser's step is such a change.
  @Test func aStepBetweenForwardAndBackwardIsNoticed() throws {
    let tape = try tape(), w = try TapeTensor([], [3], requiresGradient: true)
    let optimiser = try TensorOptimiser(
      [w], rule: .sgd(SGD()), learningRate: 0.1, compute: try Compute())
    let first = try tape.apply("mul", [w, w]), second = try tape.apply("pow", [w], attributes: ["exponent": 3])
    try tape.backward(first)
    optimiser.step()
    #expect(throws: Fault.self) { try tape.backward(second) }
  }

  /// Releasing a long history takes no stack.
  @Test func aDeepHistoryIsReleased() throws {
    let tape = try tape(), one = try TapeTensor([], [1], requiresGradient: true)
    var x = one
    for _ in 0..<100_000 { x = try tape.apply("add", [x, one]) }
    #expect(try x.item() == 100_001)
    x = one
  }

  /// A history is counted as long as something holds it, and no longer.
  @Test func theMemoryOfAHistoryIsCounted() throws {
    var bytes = 0
    do {
      let tape = try Tape(compute: try Compute(), memoryChanged: { bytes += $0 }) { 1 }
      let x = try TapeTensor([1024], [Float](repeating: 1, count: 1024), requiresGradient: true)
      var y = x
      for _ in 0..<10 { y = try tape.apply("mul", [y, x]) }
      tape.tellMemory()
      #expect(bytes == 10 * (4096 + 2 * TapeMemory.objectBytes))
      y = y.detached()
      tape.tellMemory()
      #expect(bytes == 4096 + TapeMemory.objectBytes)
      _ = try tape.recording(false) { try tape.apply("mul", [y, x]) }
      tape.tellMemory()
      #expect(bytes == 4096 + TapeMemory.objectBytes)
      #expect(x.uncountedBytes == 4096 && y.uncountedBytes == 0)
    }
    #expect(bytes == 0)
  }

  /// What a call of a compiled network keeps for its gradient is counted too: its inputs and weights.
  @Test func theMemoryOfACompiledNetworksCallIsCounted() throws {
    var bytes = 0
    let graph = try SmallNetworks.graph(SmallNetworks.all[0]), compute = try Compute()
    let tape = try Tape(compute: compute, memoryChanged: { bytes += $0 }) { 1 }
    let random = RandomSource(seed: 0, name: "test"), weights = try Weights(graph, random: random)
    let function = try PlanFunction(graph, batch: 3, mode: .training, random: random, compute: compute)
    let parameters = try graph.parameters.map {
      try TapeTensor($0.shape.dimensions, try #require(weights[$0.path]), requiresGradient: $0.kind.isTrained)
    }
    let shape = [3] + SmallNetworks.all[0].input, numbers = SmallNetworks.numbers(shape.reduce(1, *))
    do {
      let output = try function([try TapeTensor(shape, numbers)], parameters: parameters, on: tape)
      tape.tellMemory()
      #expect(bytes >= weights.byteCount + 4 * numbers.count)
      #expect(output.requiresGradient)
    }
    tape.tellMemory()
    #expect(bytes == 0)
  }

  @Test func shapesInErrors() throws {
    let tape = try tape()
    let a = try TapeTensor([2, 3], [1, 2, 3, 4, 5, 6]), b = try TapeTensor([2], [1, 2])
    let five = try TapeTensor([5], [1, 2, 3, 4, 5])
    let sum = #expect(throws: Fault.self) { _ = try tape.apply("add", [a, five]) }
    #expect(sum?.description.contains("[2, 3]") == true)
    let pooled = #expect(throws: Fault.self) { _ = try tape.apply("global_avg_pool", [b]) }
    #expect(pooled?.description.contains("[N, H, W, C]") == true)
    #expect(throws: Fault.self) { _ = try tape.apply("linear", [a], attributes: ["features": 3]) }
  }

  /// An LSTM whose weights every step uses: the loss, its inputs, and what is on the way.
  private func recurrence(
    on tape: Tape, steps: Int
  ) throws -> (loss: TapeTensor, inputs: [TapeTensor], states: [TapeTensor]) {
    let hidden = 3
    func numbers(_ shape: [Int], _ seed: UInt64) throws -> TapeTensor {
      try TapeTensor(shape, SmallNetworks.numbers(shape.reduce(1, *), seed: seed), requiresGradient: true)
    }
    let weight = try numbers([2 * hidden, 4 * hidden], 1), bias = try numbers([4 * hidden], 2)
    let first = try numbers([1, hidden], 3), unused = try numbers([2], 4)
    var h = first, c = try TapeTensor([1, hidden], [0, 0, 0]), states: [TapeTensor] = []
    for _ in 0..<steps {
      let joined = try tape.apply("concat", [first, h], attributes: ["axis": 2])
      let gates = try tape.apply("add", [try tape.apply("matmul", [joined, weight]), bias])
      let results = try #require(try tape.lstmCell(gates: gates, state: c))
      (h, c) = (results[0], results[1])
      states.append(h)
    }
    let loss = try tape.apply("sum", [try tape.apply("mul", [h, c])])
    return (loss, [weight, bias, first, unused], states)
  }

  /// Gradients without a history of their own, where sums over rows are put off, are those with one: by leaves that are
  /// used once and often, by what lies between, by one asked for twice, and by what the loss doesn't depend on.
  @Test(arguments: [1, 2, 5])
  func gradientsWithAndWithoutAHistoryAgree(steps: Int) throws {
    let tape = try tape(), (loss, inputs, states) = try recurrence(on: tape, steps: steps)
    let targets = inputs + [states[0], inputs[0]]
    let plain = try tape.gradients(of: loss, wrt: targets)
    let recorded = try tape.gradients(of: loss, wrt: targets, createGraph: true)
    for (plain, recorded) in zip(plain, recorded) {
      #expect((plain == nil) == (recorded == nil))
      guard let plain, let recorded else { continue }
      #expect(plain.shape == recorded.shape && plain.isLeaf)
      #expect(relativeError(plain.values, recorded.values) < 1e-6)
    }
    #expect(plain[3] == nil && plain[0]?.values == plain[5]?.values)
    // The same again, on arrays that were used before.
    #expect(try tape.gradients(of: loss, wrt: targets).map { $0?.values } == plain.map { $0?.values })
  }

  /// A way back that fails gives its memory back, and the next one is right.
  @Test func aWayBackThatFailsLeavesNothing() throws {
    var bytes = 0
    do {
      let tape = try Tape(compute: try Compute(), memoryChanged: { bytes += $0 }) { 1 }
      let (loss, inputs, _) = try recurrence(on: tape, steps: 3)
      tape.tellMemory()
      let before = bytes, weight = inputs[0].values
      let expected = try tape.gradients(of: loss, wrt: inputs).map { $0?.values }
      try inputs[0].set(weight)
      #expect(throws: Fault.self) { _ = try tape.gradients(of: loss, wrt: inputs) }
      tape.tellMemory()
      #expect(bytes == before)
      let (again, others, _) = try recurrence(on: tape, steps: 3)
      #expect(try tape.gradients(of: again, wrt: others).map { $0?.values } == expected)
    }
    #expect(bytes == 0)
  }

  /// A call is known by its layer, its inputs' shapes, its options and the mode, by nothing less.
  @Test func aKnownCallIsThatCallAlone() throws {
    let tape = try tape(), slice = try #require(TapeLayer.named("slice"))
    let x = try TapeTensor([2, 3], [1, 2, 3, 4, 5, 6]), y = try TapeTensor([3, 2], [1, 2, 3, 4, 5, 6])
    func call(_ x: TapeTensor, _ word: UInt64) throws -> TapeTensor? {
      try tape.applyKnown(slice, [x]) { words in
        words[0] = word
        return 1
      }
    }
    #expect(try call(x, 1) == nil)
    let words = tape.words(slice, [x]) { words in
      words[0] = 1
      return 1
    }
    let first = try tape.apply(slice, [x], attributes: ["axis": 1, "start": 2, "stop": 2], words: words)
    #expect(try call(x, 1)?.values == first.values && first.values == [4, 5, 6])
    #expect(try call(x, 2) == nil)
    #expect(try call(y, 1) == nil)
    #expect(try tape.applyKnown(try #require(TapeLayer.named("sum")), [x]) == nil)
    tape.mode = .inference
    #expect(try call(x, 1) == nil)
    tape.mode = .training
    #expect(try call(x, 1)?.values == first.values)
    #expect(tape.words(slice, [x]) { _ in nil } == nil)
  }
}
