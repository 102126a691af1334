import Diagnostics
import TensorCore

/// Full batches of a selection in a new random order each epoch, augmented.
///
/// The order and the changes of an epoch depend on the seed, the stream's name and the epoch alone, so training can
/// go on from any epoch. Images that don't fill a last batch are left out of that epoch. Filling a batch allocates
/// nothing.
public struct TrainingBatches: Sendable {
  public let batchSize: Int
  /// Full batches per epoch, at least one.
  public let batchesPerEpoch: Int
  private let selection: ImageSelection
  private let writer: ImageWriter
  private let augmentation: Augmentation
  private let seed: UInt64
  private let streamName: String
  private var order: [Int32]
  private var position = 0
  private var draws: RandomStream

  /// Ready at the start of epoch 0.
  ///
  /// - Throws: a `recipe` fault when the selection doesn't fill one batch, or when an option is out of range.
  public init(
    _ selection: ImageSelection, normalisation: Normalisation, batchSize: Int, augmentation: Augmentation = .none,
    seed: UInt64, stream: String
  ) throws {
    guard 1...selection.count ~= batchSize else {
      throw Fault(
        .recipe, "batch size", expected: "1…\(selection.count), the number of training images", got: "\(batchSize)")
    }
    guard selection.set.table == nil || augmentation == .none else {
      throw Fault(.recipe, "augmentation", expected: "none for a table", hint: "Leave augment out.")
    }
    let side = max(selection.set.height, selection.set.width)
    guard 0...side ~= augmentation.crop, 0...2 * side ~= augmentation.cutout else {
      throw Fault(
        .recipe, "augmentation", expected: "crop of 0 to \(side) and cutout of 0 to \(2 * side) pixels",
        got: "crop \(augmentation.crop), cutout \(augmentation.cutout)")
    }
    self.batchSize = batchSize
    self.selection = selection
    self.augmentation = augmentation
    self.seed = seed
    streamName = stream
    batchesPerEpoch = selection.count / batchSize
    writer = ImageWriter(selection.set, normalisation)
    order = selection.indices
    draws = RandomStream(seed: seed, name: stream)
    startEpoch(0)
  }

  /// Goes to the start of an epoch.
  public mutating func startEpoch(_ epoch: Int) {
    for (place, index) in selection.indices.enumerated() { order[place] = index }
    var shuffle = RandomStream(seed: seed, name: "\(streamName)/epoch/\(epoch)/order")
    shuffle.shuffle(&order)
    draws = RandomStream(seed: seed, name: "\(streamName)/epoch/\(epoch)/augmentation")
    position = 0
  }

  /// Writes the next batch: images dense `[batchSize, H, W, C]`, labels `[batchSize]`. False, and nothing written, at
  /// the end of the epoch. `targets`, where given, are the standardised targets of a regression, `[batchSize]`.
  public mutating func next(
    images: UnsafeMutablePointer<Float>, labels: UnsafeMutablePointer<Int32>,
    targets: UnsafeMutablePointer<Float>? = nil
  ) -> Bool {
    guard position + batchSize <= order.count else { return false }
    let set = selection.set
    for place in 0..<batchSize {
      let index = Int(order[position + place])
      let placement = augmentation.draw(height: set.height, width: set.width, from: &draws)
      writer.write(index, placement, to: images + place * set.imageSize)
      if let targets { targets[place] = writer.rows?.target(index) ?? 0 }
      labels[place] = set.labels[index]
    }
    position += batchSize
    return true
  }
}

/// All images of a selection in order, as they are; the last batch is filled up with zeros.
public struct EvaluationBatches: Sendable {
  public let batchSize: Int
  /// The number of batches.
  public let count: Int
  private let selection: ImageSelection
  private let writer: ImageWriter

  /// - Throws: a `recipe` fault unless the batch size is positive.
  public init(_ selection: ImageSelection, normalisation: Normalisation, batchSize: Int) throws {
    guard batchSize > 0 else {
      throw Fault(.recipe, "batch size", expected: "at least 1", got: "\(batchSize)")
    }
    self.batchSize = batchSize
    self.selection = selection
    count = (selection.count + batchSize - 1) / batchSize
    writer = ImageWriter(selection.set, normalisation)
  }

  /// Writes batch `number` in `0..<count`: images dense `[batchSize, H, W, C]`, labels `[batchSize]`. Returns how many
  /// images it has; the rest are zeros with label 0, which must not be counted.
  public func fill(
    _ number: Int, images: UnsafeMutablePointer<Float>, labels: UnsafeMutablePointer<Int32>
  ) -> Int {
    let set = selection.set, start = number * batchSize
    let filled = min(batchSize, selection.count - start)
    for place in 0..<filled {
      let index = Int(selection.indices[start + place])
      writer.write(index, to: images + place * set.imageSize)
      labels[place] = set.labels[index]
    }
    let rest = batchSize - filled
    (images + filled * set.imageSize).update(repeating: 0, count: rest * set.imageSize)
    (labels + filled).update(repeating: 0, count: rest)
    return filled
  }
}
