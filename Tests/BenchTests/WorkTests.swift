import Canonical
import Exchange
import Foundation
import NeuralNet
import TensorCore
import Testing

/// The work of the benchmark does what the plans do, as often as it is told.
@Suite struct WorkTests {
  let subject: Subject

  init() throws { subject = try Subject() }

  /// The numbers after CPU seconds of each answer.
  private func values(_ arguments: String..., asked counts: [Int]) throws -> [Float] {
    let lines = try subject.bench(arguments, asked: counts).output.split(separator: "\n")
    #expect(lines.first == "ready")
    return try lines.dropFirst().map { line in
      let parts = line.split(separator: " ").map { Float($0) }
      try #require(parts.count == 3)
      let cpu = try #require(parts[0]), wall = try #require(parts[2])
      #expect(cpu > 0 && wall > 0)
      return try #require(parts[1])
    }
  }

  @Test func trainingAnswersTheLossOfTheLastStep() throws {
    let plan = try TrainingPlan(subject.graph, batch: 6, random: Subject.random, compute: try Compute())
    let state = try TrainingState(try subject.weights.copy())
    let optimiser = try SGD(momentum: 0.9, nesterov: true, weightDecay: 5e-4)
    let losses = try (0..<3).map { _ in
      try subject.images.withUnsafeBufferPointer { try plan.setInput($0) }
      try subject.labels.withUnsafeBufferPointer { try plan.setLabels($0) }
      return try plan.step(state, optimiser, learningRate: 0.01)
    }
    let answers = try values("train", subject.network, "--arrays", subject.arrays, asked: [1, 2])
    #expect(answers == [losses[0], losses[2]])
  }

  @Test func inferenceAnswersTheFirstOutputOfTheFirstImage() throws {
    let plan = try InferencePlan(subject.graph, batch: 1, compute: try Compute())
    let output = try plan.run(Array(subject.images.prefix(subject.images.count / 6)), subject.weights)
    let answers = try values("infer", subject.network, "--arrays", subject.arrays, asked: [1, 5])
    #expect(answers == [output[0], output[0]])
  }

  @Test func firstStepsBeginAnew() throws {
    let answers = try values("first", subject.network, "--arrays", subject.arrays, asked: [1, 3])
    #expect(answers[0].isFinite && answers[0] == answers[1])
  }

  /// Two colours for two classes: known after some epochs, in whatever order.
  @Test func curvesAnswerTheAccuracyAfterEachEpoch() throws {
    let answers = try values(
      "curve", subject.network, "--arrays", subject.arrays, "--test", subject.arrays, "--batch", "2",
      asked: Array(repeating: 1, count: Subject.epochs))
    #expect(answers.allSatisfy { 0...100 ~= $0 })
    #expect(answers.last == 100)
    let tooMany = try subject.bench(
      ["curve", subject.network, "--arrays", subject.arrays, "--test", subject.arrays], asked: [Subject.epochs + 1])
    #expect(tooMany.status != 0)
  }

  @Test func kernelsAreNamed() throws {
    let outcome = try subject.bench(
      ["train", subject.network, "--arrays", subject.arrays, "--kernels", "fast"], asked: [1])
    #expect(outcome.status != 0)
    #expect(outcome.errors.contains("unknown kernels"))
  }
}

/// A small network and images in files, as the benchmark has them, removed with the test.
final class Subject {
  static let random = RandomSource(seed: 1, name: "test"), epochs = 30
  let folder: URL
  let graph: Graph
  let weights: Weights
  /// Six images of 4×4 pixels: bright ones of class 1 and dark ones of class 0.
  let labels: [Int32] = [0, 1, 0, 1, 0, 1]
  let images: [Float]
  var network: String { folder.path }
  var arrays: String { folder.appending(path: "arrays.safetensors").path }

  init() throws {
    folder = FileManager.default.temporaryDirectory.appending(path: "nasrun-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let builder = try GraphBuilder(inputs: [("image", [4, 4, 3])])
    var x = try builder.apply("conv2d", [builder.inputs[0]], attributes: ["channels": 5, "kernel": 3])
    x = try builder.apply("relu", [try builder.apply("batch_norm", [x])])
    x = try builder.apply("linear", [try builder.apply("global_avg_pool", [x])], attributes: ["features": 2])
    graph = try builder.finish(outputs: [("logits", x)])
    weights = try Weights(graph, random: Self.random)
    var stream = RandomStream(seed: 2, name: "images")
    images = labels.flatMap { label in (0..<48).map { _ in Float(label) * 2 - 1 + Float(stream.uniform()) * 0.1 } }
    try write()
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  private func write() throws {
    let description: JSONValue = ["graph": graph.json]
    try Data(description.text().utf8).write(to: folder.appending(path: "architecture.json"))
    try weights.save(to: folder.appending(path: "weights.safetensors").path)
    let order: [Float] = [5, 0, 3, 2, 1, 4]
    try Safetensors.write(
      [
        NamedArray(name: "images", shape: [6, 4, 4, 3], values: images),
        NamedArray(name: "labels", shape: [6], values: labels.map { Float($0) }),
        NamedArray(
          name: "orders", shape: [Self.epochs, 6], values: (0..<Self.epochs).flatMap { _ in order }),
      ], to: arrays)
  }

  /// Runs the `bench` that was built with these tests on lines with these numbers.
  func bench(_ arguments: [String], asked counts: [Int]) throws -> (output: String, errors: String, status: Int32) {
    let tests = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
    let process = Process(), input = folder.appending(path: UUID().uuidString)
    try Data(counts.map { "\($0)\n" }.joined().utf8).write(to: input)
    process.executableURL = tests.deletingLastPathComponent().appending(path: "bench")
    process.arguments = arguments
    process.standardInput = try FileHandle(forReadingFrom: input)
    return try process.outcome()
  }
}
