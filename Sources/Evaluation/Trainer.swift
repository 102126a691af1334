import Datasets
import Diagnostics
import NeuralNet
import TensorCore

/// Trains a network on images.
public struct Trainer {
  /// What an epoch reports.
  public struct EpochReport: Sendable {
    /// From 1.
    public let epoch: Int
    /// Mean loss of the epoch's steps; NaN or infinite when training diverged.
    public let loss: Double
    /// The learning rate of the epoch's last step.
    public let learningRate: Double
  }

  let compute: Compute
  /// Asked after every step; true ends the training with an `interrupted` fault.
  let isCancelled: () -> Bool

  public init(compute: Compute, isCancelled: @escaping () -> Bool = { false }) {
    self.compute = compute
    self.isCancelled = isCancelled
  }

  /// Trains `weights` in place, from the first epoch; see the same for a training in progress.
  public func train(
    _ graph: Graph, _ weights: Weights, on images: ImageSelection, normalisation: Normalisation,
    recipe: TrainingRecipe, random: RandomSource, onEpoch: (EpochReport) throws -> Void
  ) throws {
    _ = try train(
      graph, try TrainingState(weights), after: 0, on: images, normalisation: normalisation, recipe: recipe,
      random: random
    ) { report in
      try onEpoch(report)
      return true
    }
  }

  /// Goes on with a training whose first `done` epochs are behind it. Done in several parts, it ends with the same bits.
  ///
  /// Order and augmentation of the images come from the stream `<random.name>/data`, dropout from `<random.name>/dropout`.
  /// A loss that is no longer finite ends the training after its epoch is reported: nothing is left to learn.
  ///
  /// - Parameter onEpoch: called after each epoch; false ends the training.
  /// - Returns: how many epochs are done, those behind it included.
  /// - Throws: a `recipe` fault when the network doesn't fit the data; `interrupted` when cancelled.
  public func train(
    _ graph: Graph, _ state: TrainingState, after done: Int, on images: ImageSelection, normalisation: Normalisation,
    recipe: TrainingRecipe, random: RandomSource, onEpoch: (EpochReport) throws -> Bool
  ) throws -> Int {
    try Self.check(inputOf: graph, for: images)
    var batches = try TrainingBatches(
      images, normalisation: normalisation, batchSize: recipe.batch, augmentation: recipe.augmentation,
      seed: random.seed, stream: random.name + "/data")
    let plan = try TrainingPlan(
      graph, batch: recipe.batch, loss: Self.loss(of: images, recipe),
      mode: ExecutionMode(batchNorm: .batch(updating: true), dropout: true, precision: recipe.precision),
      random: RandomSource(seed: random.seed, name: random.name + "/dropout"), compute: compute)
    try Self.check(classes: plan.classes, of: images)
    let pixels = UnsafeMutableBufferPointer<Float>.allocate(capacity: recipe.batch * images.set.imageSize)
    let labels = UnsafeMutableBufferPointer<Int32>.allocate(capacity: recipe.batch)
    let targets = UnsafeMutableBufferPointer<Float>.allocate(capacity: recipe.batch)
    defer {
      targets.deallocate()
      pixels.deallocate()
      labels.deallocate()
    }
    guard let firstPixel = pixels.baseAddress, let firstLabel = labels.baseAddress else { return done }
    for epoch in done..<recipe.epochs {
      batches.startEpoch(epoch)
      var sum = 0.0, rate = 0.0, diverged = false
      while !diverged, batches.next(images: firstPixel, labels: firstLabel, targets: targets.baseAddress) {
        try plan.setInput(UnsafeBufferPointer(pixels))
        if images.set.isRegression {
          try plan.setTargets(UnsafeBufferPointer(targets))
        } else {
          try plan.setLabels(UnsafeBufferPointer(labels))
        }
        rate = try recipe.rate(step: state.step, stepsPerEpoch: batches.batchesPerEpoch)
        let loss = try plan.step(state, recipe.optimiser, learningRate: rate)
        sum += Double(loss)
        diverged = !loss.isFinite
        if isCancelled() { throw Fault(.interrupted, "training was interrupted") }
      }
      let loss = diverged ? Double.nan : sum / Double(batches.batchesPerEpoch)
      let goesOn = try onEpoch(EpochReport(epoch: epoch + 1, loss: loss, learningRate: rate))
      if diverged || !goesOn { return epoch + 1 }
    }
    return recipe.epochs
  }

  /// Cross-entropy of classes; of a regression, the mean squared error of standardised targets.
  private static func loss(of images: ImageSelection, _ recipe: TrainingRecipe) -> Loss {
    images.set.isRegression ? .meanSquaredError : .crossEntropy(labelSmoothing: recipe.labelSmoothing)
  }

  /// Throws unless the network takes samples of this shape.
  public static func check(inputOf graph: Graph, for images: ImageSelection) throws {
    guard let port = graph.inputs.first else { return }
    let shape = graph.type(of: port).shape
    guard shape.dimensions == images.set.sampleShape else {
      throw Fault(
        .recipe, "the network's input doesn't fit the data", path: port.name, expected: "\(shape)",
        got: "samples of \(images.set.sampleShape)", hint: "Make the network with these data: arch:network(data).")
    }
  }

  /// Throws unless a network with so many outputs can tell the classes of the images apart.
  public static func check(classes: Int, of images: ImageSelection) throws {
    guard classes == images.set.classNames.count else {
      throw Fault(
        .recipe, "the network's output doesn't fit the data",
        expected: images.set.isRegression ? "1 number" : "\(images.set.classNames.count) classes", got: "\(classes)",
        hint: "End build with nn.linear(x, task.classes).")
    }
  }
}
