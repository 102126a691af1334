import Canonical
import Diagnostics
import TensorCore
import Testing

@testable import NeuralNet

/// Probes of a small NAS-Bench-201 network: what they see is what finite differences say, and they change nothing.
@Suite struct ProbeTests {
  private static let cell = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_1x1~1|+|none~0|avg_pool_3x3~1|nor_conv_3x3~2|"
  private let graph: Graph
  private let weights: Weights
  private let batch: [Float]

  init() throws {
    graph = try NASBench201(channels: 4, cells: 1, size: 8, classes: 5).graph(Self.cell)
    weights = try Weights(graph, random: RandomSource(seed: 3, name: "probe"))
    var stream = RandomStream(seed: 3, name: "images")
    batch = (0..<4 * 8 * 8 * 3).map { _ in Float(stream.normal()) }
  }

  private func probe(
    _ request: ProbeRequest, _ batch: [Float]? = nil, labels: [Int32]? = [0, 3, 1, 4], threads: Int = 1
  ) throws -> ProbeResult {
    let compute = try Compute(threads: threads), batch = batch ?? self.batch
    return try Probe(graph, weights, request, compute: compute).run(batch, samples: batch.count / 192, labels: labels)
  }

  @Test func nothingChanges() throws {
    let before = weights.digest
    for batchNorm in [ExecutionMode.BatchNorm.batch(updating: false), .running, .bypass] {
      var request = ProbeRequest()
      request.batchNorm = batchNorm
      request.targets = [.input, .parameters]
      request.isAbsolute = true
      request.isPerSample = true
      _ = try probe(request)
      #expect(weights.digest == before)
    }
  }

  @Test func threadsChangeNoBit() throws {
    var request = ProbeRequest()
    request.targets = [.input, .weights]
    request.curvature = .gradient
    let one = try probe(request), three = try probe(request, threads: 3)
    #expect(one.input.gradient?.values == three.input.gradient?.values)
    for (a, b) in zip(one.weights, three.weights) {
      #expect(a.gradient?.values == b.gradient?.values && a.curvature?.values == b.curvature?.values, "\(a.path)")
    }
  }

  /// The derivative of the loss along a random direction of the input.
  @Test(arguments: [ProbeRequest.Loss.crossEntropy, .sum])
  func inputGradientAgreesWithDifferences(loss: ProbeRequest.Loss) throws {
    var request = ProbeRequest(), stream = RandomStream(seed: 3, name: "direction")
    request.loss = loss
    request.batchNorm = .running
    request.targets = [.input]
    let direction = batch.map { _ in Float(stream.normal()) }
    let gradient = try #require(try probe(request).input.gradient).values
    let slope = zip(gradient, direction).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    func value(at step: Float) throws -> Double {
      try probe(request, zip(batch, direction).map { $0 + step * $1 }).loss
    }
    let difference = (try value(at: 1e-3) - value(at: -1e-3)) / 2e-3
    #expect(abs(slope - difference) < 0.02 * max(1, abs(slope)))
  }

  /// u · (H v) = v · (H u).
  @Test func curvatureIsSymmetric() throws {
    var request = ProbeRequest(), stream = RandomStream(seed: 3, name: "direction")
    request.targets = [.parameters]
    let counts = try Probe(graph, weights, request, compute: try Compute()).weightShapes.map { $0.reduce(1, *) }
    let u = counts.map { count in (0..<count).map { _ in Float(stream.normal()) } }
    let v = counts.map { count in (0..<count).map { _ in Float(stream.normal()) } }
    func product(_ a: [[Float]], _ b: [[Float]]) throws -> Double {
      request.curvature = .directions(b)
      let curved = try probe(request).weights.compactMap { $0.curvature?.values }
      return zip(a.joined(), curved.joined()).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let first = try product(u, v), second = try product(v, u)
    #expect(abs(first) > 1)
    #expect(abs(first - second) < 1e-4 * abs(first))
  }

  @Test func activationsAreThoseOfTheNetwork() throws {
    var request = ProbeRequest()
    request.batchNorm = .running
    request.loss = .sum
    let classifier = try #require(graph.nodes.firstIndex { $0.path == "classifier" })
    request.captured = [classifier]
    request.targets = [.activations]
    let result = try probe(request, labels: nil)
    let plan = try InferencePlan(graph, batch: 4, compute: try Compute())
    #expect(result.outputs.values == (try plan.run(batch, weights)))
    #expect(result.activations[0].value.values == result.outputs.values)
    #expect(result.activations[0].gradient?.values == [Float](repeating: 1, count: 20))
    request.point = .input
    #expect(try probe(request, labels: nil).activations[0].value.shape == [4, 16])
  }

  @Test func whatDoesNotMatterHasAGradientOfZeros() throws {
    let graph = try NASBench201(channels: 4, cells: 1, size: 8, classes: 5).graph(
      "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|")
    let weights = try Weights(graph, random: RandomSource(seed: 3, name: "probe"))
    var request = ProbeRequest()
    request.loss = .sum
    request.targets = [.weights, .activations]
    request.captured = graph.nodes.indices.filter { graph.nodes[$0].path.hasPrefix("cell1/0to1/conv") }
    let result = try Probe(graph, weights, request, compute: try Compute()).run(batch, samples: 4)
    let dead = try #require(result.weights.first { $0.path == "cell1/0to1/conv/weight" })
    #expect(dead.gradient?.values == [Float](repeating: 0, count: 144))
    #expect(result.activations[0].gradient?.values.allSatisfy { $0 == 0 } == true)
    #expect(result.activations[0].value.values.contains { $0 != 0 })
  }

  @Test func contradictionsAreRefused() throws {
    var scaled = ProbeRequest()
    scaled.isScaled = true
    #expect(throws: Fault.self) { try probe(scaled) }
    var curved = ProbeRequest()
    curved.curvature = .gradient
    #expect(throws: Fault.self) { try probe(curved) }
    #expect(throws: Fault.self) { try probe(ProbeRequest(), labels: nil) }
    #expect(throws: Fault.self) { try probe(ProbeRequest(), labels: [0, 1, 2, 5]) }
    #expect(throws: Fault.self) { try probe(ProbeRequest(), []) }
  }
}
