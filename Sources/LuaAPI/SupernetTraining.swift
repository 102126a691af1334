import Canonical
import Datasets
import Diagnostics
import Evaluation
import LuaHost
import NeuralNet
import SearchCore
import TensorCore

/// `weights:fit`: the loop over epochs and batches, a path for each batch.
struct SupernetTraining {
  let session: Session
  let weights: WeightsObject
  /// The script's choice of paths; nil for uniform ones.
  let paths: LuaReference?

  func run(
    _ recipe: TrainingRecipe, on images: ImageSelection, normalisation: Normalisation, onEpoch: LuaReference?
  ) throws {
    var batches = try TrainingBatches(
      images, normalisation: normalisation, batchSize: recipe.batch, augmentation: recipe.augmentation,
      seed: session.seed, stream: "\(weights.stream)/data/\(weights.state.version)")
    var draws = RandomStream(seed: session.seed, name: "\(weights.stream)/paths/\(weights.state.version)")
    var pixels = [Float](repeating: 0, count: recipe.batch * images.set.imageSize)
    var labels = [Int32](repeating: 0, count: recipe.batch)
    var step = 0
    for epoch in 0..<recipe.epochs {
      batches.startEpoch(epoch)
      var sum = 0.0, rate = 0.0
      for _ in 0..<batches.batchesPerEpoch {
        pixels.withUnsafeMutableBufferPointer { pixels in
          labels.withUnsafeMutableBufferPointer { labels in
            if let pixel = pixels.baseAddress, let label = labels.baseAddress {
              _ = batches.next(images: pixel, labels: label)
            }
          }
        }
        rate = try recipe.rate(step: step, stepsPerEpoch: batches.batchesPerEpoch)
        let loss = try train(try path(step, &draws), pixels, labels, rate: rate)
        step += 1
        guard loss.isFinite else {
          throw Fault(
            .recipe, "weights:fit: the training diverged", expected: "a finite loss",
            got: "\(loss.withUnsignedNaN) in step \(step) of epoch \(epoch + 1)",
            hint: "Lower lr, or limit the gradients with clip.")
        }
        sum += loss
        if session.host.isCancelled { throw Fault(.interrupted, "training was interrupted") }
      }
      let report: JSONValue = [
        "train_loss": .number(sum / Double(batches.batchesPerEpoch)), "lr": .number(rate),
      ]
      try onEpoch?([.integer(epoch + 1), try session.host.value(report)])
    }
  }

  private func train(_ path: Architecture, _ pixels: [Float], _ labels: [Int32], rate: Double) throws -> Double {
    let (member, plan) = try weights.supernet.training(
      path, batch: labels.count, loss: .crossEntropy(labelSmoothing: weights.labelSmoothing))
    try pixels.withUnsafeBufferPointer { try plan.setInput($0) }
    try labels.withUnsafeBufferPointer { try plan.setLabels($0) }
    return Double(try weights.supernet.shared.step(member.network, plan, weights.optimiser, learningRate: rate))
  }

  /// The path of a step.
  private func path(_ step: Int, _ draws: inout RandomStream) throws -> Architecture {
    guard let paths else {
      return try weights.space.space.random(using: &draws, validity: weights.space.definition.validity)
    }
    let chosen = try paths([.integer(step + 1)]).first ?? .nil
    guard let arch = chosen.object(as: ArchitectureObject.self) else {
      throw Fault(
        .recipe, "wrong result of paths in weights:fit", expected: "an Architecture", got: chosen.description)
    }
    return try weights.architecture(arch)
  }
}

/// `weights:evaluate`: one path on a split, with batch norm as asked.
struct PathScoring {
  let session: Session
  let weights: WeightsObject

  func score(
    _ architecture: Architecture, _ arguments: Arguments, _ images: ImageSelection, _ normalisation: Normalisation
  ) throws -> [String: Double] {
    let supernet = weights.supernet, mode = arguments.text("bn")
    if arguments.flag("ema"), supernet.shared.average == nil {
      throw Fault(
        .recipe, "no average of the weights is kept", hint: "Make them with nas.weights(space, { ema = 0.999, … }).")
    }
    let size = min(arguments.integer("batch"), images.count)
    let (member, plan) = try supernet.inference(
      architecture, batch: size, batchNorm: mode == "batch" ? .batch(updating: false) : .running)
    let own = try supernet.shared.copy(for: member.network.graph, averaged: arguments.flag("ema"))
    if mode == "recalibrate" {
      try recalibrate(architecture, own, batches: arguments.integer("recalibrate"), size: size)
    }
    let host = session.host
    return try Scorer(compute: session.compute) { host.isCancelled }.score(
      plan, own, on: images, normalisation: normalisation, limit: arguments["batches"].integer)
  }

  /// Gathers the running statistics of a path on the first batches of the training part.
  private func recalibrate(_ architecture: Architecture, _ own: Weights, batches count: Int, size: Int) throws {
    let batches = try CalibrationBatches(session, weights.supernet.data.dataset, size: size, count: count)
    let (_, plan) = try weights.supernet.inference(architecture, batch: batches.size, batchNorm: .recalibrate)
    for number in 0..<batches.count {
      try batches.pixels(number).withUnsafeBufferPointer { try plan.setInput($0) }
      try plan.run(own, step: number)
    }
  }
}

/// The first batches of the training part as they are, on which running statistics are gathered.
struct CalibrationBatches {
  /// Samples of a batch, and how many batches there are.
  let size: Int, count: Int
  private let session: Session
  private let dataset: Dataset
  private let batches: EvaluationBatches

  init(_ session: Session, _ dataset: Dataset, size: Int, count: Int) throws {
    (self.session, self.dataset) = (session, dataset)
    self.size = min(size, dataset.train.count)
    self.count = min(count, dataset.train.count / self.size)
    batches = try EvaluationBatches(dataset.train, normalisation: dataset.normalisation, batchSize: self.size)
  }

  /// A batch of images, dense. Throws an `interrupted` fault once the run is cancelled.
  func pixels(_ number: Int) throws -> [Float] {
    if session.host.isCancelled { throw Fault(.interrupted, "recalibration was interrupted") }
    var labels = [Int32](repeating: 0, count: size)
    return [Float](unsafeUninitializedCapacity: size * dataset.train.set.imageSize) { pixels, filled in
      filled = pixels.count
      labels.withUnsafeMutableBufferPointer { labels in
        if let pixel = pixels.baseAddress, let label = labels.baseAddress {
          _ = batches.fill(number, images: pixel, labels: label)
        }
      }
    }
  }
}
