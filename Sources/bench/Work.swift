import ArgumentParser
import Canonical
import Diagnostics
import Exchange
import Foundation
import NeuralNet
import TensorCore

/// A network that a recipe saved: its graph as JSON, and its weights.
struct SavedNetwork {
  let folder: String
  let text: String

  init(_ folder: String) throws {
    self.folder = folder
    text = try String(contentsOfFile: folder + "/architecture.json", encoding: .utf8)
  }

  func graph() throws -> Graph {
    guard let graph = try JSONValue(parsing: Data(text.utf8), source: folder)["graph"] else {
      throw Fault(.data, "the architecture has no graph", path: folder)
    }
    return try Graph(json: graph, source: folder)
  }
}

/// The images and labels of a file.
struct Batch {
  let images: [Float]
  let labels: [Int32]

  init(_ path: String) throws {
    let arrays = try Safetensors.read(path).arrays
    guard let images = arrays.first(where: { $0.name == "images" })?.values,
      let labels = arrays.first(where: { $0.name == "labels" })?.values
    else { throw Fault(.data, "the file needs images and labels", path: path) }
    self.init(images: images, labels: labels.map { Int32($0) })
  }

  init(images: [Float], labels: [Int32]) { (self.images, self.labels) = (images, labels) }

  func write(to plan: TrainingPlan) throws {
    try images.withUnsafeBufferPointer { try plan.setInput($0) }
    try labels.withUnsafeBufferPointer { try plan.setLabels($0) }
  }

  /// Some of the samples, by their numbers.
  subscript(samples: some Sequence<Int>) -> Batch {
    let size = images.count / labels.count
    return Batch(
      images: samples.flatMap { images[$0 * size..<($0 + 1) * size] }, labels: samples.map { labels[$0] })
  }
}

/// The update of every training: what PyTorch's side has too.
enum Descent {
  static let rate = 0.01

  static func optimiser() throws -> SGD { try SGD(momentum: 0.9, nesterov: true, weightDecay: 5e-4) }
}

extension ExecutionMode.Precision: ExpressibleByArgument {}

/// Steps of training on one batch: input, forward, backward, update.
struct TrainingWork: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "train", abstract: "Training steps of a network.")

  @Argument(help: "The folder of a saved network.") var network: String
  @Option(help: "What the operands of matrix products are rounded to: fp32 or bf16.")
  var precision = ExecutionMode.Precision.single
  @OptionGroup var options: WorkOptions

  func run() throws {
    let saved = try SavedNetwork(network), graph = try saved.graph(), batch = try Batch(options.arrays)
    let random = RandomSource(seed: 0, name: "bench"), weights = try Weights(graph, random: random)
    try weights.load(from: network + "/weights.safetensors")
    var mode = ExecutionMode.training
    mode.precision = precision
    let plan = try TrainingPlan(
      graph, batch: batch.labels.count, mode: mode, random: random, compute: try options.compute())
    let state = try TrainingState(weights)
    let optimiser = try Descent.optimiser()
    try serve {
      try batch.write(to: plan)
      return try plan.step(state, optimiser, learningRate: Descent.rate)
    }
  }
}

/// Answers of a network to one image: input, forward, output.
struct InferenceWork: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "infer", abstract: "Answers of a network at batch 1.")

  @Argument(help: "The folder of a saved network.") var network: String
  @OptionGroup var options: WorkOptions

  func run() throws {
    let graph = try SavedNetwork(network).graph(), batch = try Batch(options.arrays)
    let weights = try Weights(graph, random: RandomSource(seed: 0, name: "bench"))
    try weights.load(from: network + "/weights.safetensors")
    let plan = try InferencePlan(graph, batch: 1, compute: try options.compute())
    let image = Array(batch.images.prefix(batch.images.count / batch.labels.count))
    try serve { try plan.run(image, weights)[0] }
  }
}

/// First steps of networks that were never seen: graph, weights, plan, one step of training; a new network each time.
struct FirstStepWork: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "first", abstract: "First training steps of networks.")

  @Argument(help: "The folders of saved networks.") var networks: [String]
  @OptionGroup var options: WorkOptions

  func run() throws {
    let saved = try networks.map { try SavedNetwork($0) }, batch = try Batch(options.arrays)
    let compute = try options.compute(), random = RandomSource(seed: 0, name: "bench")
    let optimiser = try Descent.optimiser()
    var next = 0
    try serve {
      let graph = try saved[next % saved.count].graph()
      next += 1
      let plan = try TrainingPlan(graph, batch: batch.labels.count, random: random, compute: compute)
      let state = try TrainingState(try Weights(graph, random: random))
      try batch.write(to: plan)
      return try plan.step(state, optimiser, learningRate: Descent.rate)
    }
  }
}
