import Canonical
import Diagnostics
import NeuralNet
import TensorCore
import Testing

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
  func aPlanAndTheTapeGiveTheSameBits(network: SmallNetworks.Case) throws {
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
      #expect(gradients[0]?.values == expected.inputGradients[0])
      let trained = graph.parameters.filter(\.kind.isTrained)
      for (parameter, gradient) in zip(trained, gradients.dropFirst()) {
        #expect(gradient?.values == plan.gradient(of: parameter.path), "\(parameter.path)")
      }
    }
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

  /// Releasing a long history takes no stack.
  @Test func aDeepHistoryIsReleased() throws {
    let tape = try tape(), one = try TapeTensor([], [1], requiresGradient: true)
    var x = one
    for _ in 0..<100_000 { x = try tape.apply("add", [x, one]) }
    #expect(try x.item() == 100_001)
    x = one
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
}
