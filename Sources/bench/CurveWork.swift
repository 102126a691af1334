import ArgumentParser
import Diagnostics
import Exchange
import NeuralNet
import TensorCore

/// Epochs of training in a given order; what is answered is the accuracy on test images after each, in per cent.
struct CurveWork: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "curve", abstract: "Epochs of training.")

  @Argument(help: "The folder of a saved network.") var network: String
  @Option(help: "A file as of --arrays: the images to test on.") var test: String
  @Option(help: "Samples of a step.") var batch = 64
  @OptionGroup var options: WorkOptions

  func run() throws {
    let images = try Batch(options.arrays), graph = try SavedNetwork(network).graph()
    let random = RandomSource(seed: 0, name: "bench"), compute = try options.compute()
    let weights = try Weights(graph, random: random)
    try weights.load(from: network + "/weights.safetensors")
    let state = try TrainingState(weights), optimiser = try Descent.optimiser()
    let plan = try TrainingPlan(graph, batch: batch, random: random, compute: compute)
    let examiner = try Examiner(graph, try Batch(test), compute)
    var orders = try Self.orders(options.arrays).makeIterator()
    try serve {
      for samples in try Self.batches(orders.next(), of: batch) {
        try images[samples].write(to: plan)
        _ = try plan.step(state, optimiser, learningRate: Descent.rate)
      }
      return try examiner.accuracy(weights)
    }
  }

  /// The order of the samples in each epoch.
  private static func orders(_ path: String) throws -> [[Int]] {
    guard let orders = try Safetensors.read(path).arrays.first(where: { $0.name == "orders" }) else {
      throw Fault(.data, "the file needs orders", path: path)
    }
    return (0..<orders.shape[0]).map { epoch in
      orders.values[epoch * orders.shape[1]..<(epoch + 1) * orders.shape[1]].map { Int($0) }
    }
  }

  /// The full batches of an order.
  private static func batches(_ order: [Int]?, of size: Int) throws -> [ArraySlice<Int>] {
    guard let order else { throw Fault(.data, "there is no order for one more epoch") }
    return stride(from: 0, through: order.count - size, by: size).map { order[$0..<$0 + size] }
  }
}

/// Tells how many images a network knows.
private struct Examiner {
  let plan: InferencePlan
  let images: Batch

  init(_ graph: Graph, _ images: Batch, _ compute: Compute) throws {
    plan = try InferencePlan(graph, batch: images.labels.count, compute: compute)
    self.images = images
  }

  func accuracy(_ weights: Weights) throws -> Float {
    let logits = try plan.run(images.images, weights), classes = logits.count / images.labels.count
    let right = images.labels.indices.count { sample in
      let row = logits[sample * classes..<(sample + 1) * classes]
      return row.firstIndex(of: row.max() ?? .nan) == row.startIndex + Int(images.labels[sample])
    }
    return 100 * Float(right) / Float(images.labels.count)
  }
}
