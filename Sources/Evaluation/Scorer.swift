import Datasets
import Diagnostics
import Foundation
import NeuralNet
import TensorCore

/// Scores a network on images.
public struct Scorer {
  let compute: Compute
  let isCancelled: () -> Bool

  public init(compute: Compute, isCancelled: @escaping () -> Bool = { false }) {
    self.compute = compute
    self.isCancelled = isCancelled
  }

  /// The metrics over all images: `accuracy`, `balanced_accuracy` and `macro_f1` in per cent, `loss` (mean
  /// cross-entropy, NaN when an output is). Of a regression: `rmse` and `mae` in the target's units, `r2`, and `loss`, the
  /// mean squared error of standardised targets.
  public func score(
    _ graph: Graph, _ weights: Weights, on images: ImageSelection, normalisation: Normalisation, batch: Int = 128
  ) throws -> [String: Double] {
    try Trainer.check(inputOf: graph, for: images)
    let plan = try InferencePlan(graph, batch: min(batch, images.count), compute: compute)
    if images.set.isRegression { return try regression(plan, weights, images, normalisation) }
    return try score(plan, weights, on: images, normalisation: normalisation)
  }

  /// The same on a compiled plan, on the path that it selected.
  ///
  /// - Parameter limit: the most batches to score. With the batch's own statistics only full batches count.
  public func score(
    _ plan: InferencePlan, _ weights: Weights, on images: ImageSelection, normalisation: Normalisation,
    limit: Int? = nil
  ) throws -> [String: Double] {
    let size = plan.batch
    let classes = images.set.classNames.count
    let batches = try EvaluationBatches(images, normalisation: normalisation, batchSize: size)
    let pixels = UnsafeMutableBufferPointer<Float>.allocate(capacity: size * images.set.imageSize)
    let labels = UnsafeMutableBufferPointer<Int32>.allocate(capacity: size)
    defer {
      pixels.deallocate()
      labels.deallocate()
    }
    guard let firstPixel = pixels.baseAddress, let firstLabel = labels.baseAddress else { return [:] }
    var score = ClassificationScore(classes: classes)
    let full = plan.mode.batchNorm == .running ? batches.count : images.count / size
    for number in 0..<min(full, limit ?? full) {
      let filled = batches.fill(number, images: firstPixel, labels: firstLabel)
      try plan.setInput(UnsafeBufferPointer(pixels))
      try plan.run(weights)
      let logits = plan.output(samples: filled)
      guard logits.count == filled * classes else {
        try Trainer.check(classes: logits.count / filled, of: images)
        continue
      }
      for sample in 0..<filled {
        let row = logits[sample * classes..<(sample + 1) * classes]
        let label = Int(labels[sample])
        score.add(label: label, prediction: Self.largest(row), loss: Self.crossEntropy(row, label: label))
      }
      if isCancelled() { throw Fault(.interrupted, "scoring was interrupted") }
    }
    return [
      "accuracy": score.accuracy, "balanced_accuracy": score.balancedAccuracy, "macro_f1": score.macroF1,
      "loss": score.meanLoss,
    ]
  }

  private func regression(
    _ plan: InferencePlan, _ weights: Weights, _ rows: ImageSelection, _ normalisation: Normalisation
  ) throws -> [String: Double] {
    let size = plan.batch, scale = normalisation.target ?? TargetScale(mean: 0, deviation: 1)
    let batches = try EvaluationBatches(rows, normalisation: normalisation, batchSize: size)
    var values = [Float](repeating: 0, count: size * rows.set.imageSize), labels = [Int32](repeating: 0, count: size)
    var score = RegressionScore(origin: scale.mean), place = 0
    for number in 0..<batches.count {
      let filled = batches.fill(number, images: &values, labels: &labels)
      try values.withUnsafeBufferPointer { try plan.setInput($0) }
      try plan.run(weights)
      let outputs = plan.output(samples: filled)
      try Trainer.check(classes: outputs.count / filled, of: rows)
      for output in outputs {
        score.add(target: rows.target(place), prediction: Double(output) * scale.deviation + scale.mean)
        place += 1
      }
      if isCancelled() { throw Fault(.interrupted, "scoring was interrupted") }
    }
    let loss = score.rmse / scale.deviation
    return ["rmse": score.rmse, "mae": score.mae, "r2": score.r2, "loss": loss * loss]
  }

  /// The position of the largest logit; the first of equal ones.
  private static func largest(_ row: ArraySlice<Float>) -> Int {
    var best = row.startIndex
    for index in row.indices where row[index] > row[best] { best = index }
    return best - row.startIndex
  }

  /// `log Σ exp(z) − z[label]`, in double precision with the largest logit taken out.
  private static func crossEntropy(_ row: ArraySlice<Float>, label: Int) -> Double {
    let top = Double(row.max() ?? 0)
    let sum = row.reduce(0.0) { $0 + exp(Double($1) - top) }
    return log(sum) + top - Double(row[row.startIndex + label])
  }
}
