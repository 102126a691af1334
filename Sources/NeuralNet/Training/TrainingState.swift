import Diagnostics
import TensorCore

/// A training in progress: the weights, the optimiser's momentum and the number of steps done.
public final class TrainingState {
  public let weights: Weights
  /// Steps done.
  public internal(set) var step = 0
  /// Laid out as the trained part of the weights.
  let momentum: AlignedBuffer

  /// Starts a training on weights, which it will change.
  public init(_ weights: Weights) throws {
    self.weights = weights
    momentum = try AlignedBuffer(count: weights.layout.trainedFloats)
  }

  /// Everything that is needed to go on bit for bit, for a checkpoint: the weights by their paths, then
  /// `momentum/<path>`. The step is beside them, as a text.
  public func snapshot() -> (arrays: [NamedArray], metadata: [String: String]) {
    let momenta = trainedEntries.map { entry in
      let start = momentum.pointer.advanced(by: entry.offset)
      return NamedArray(
        name: Self.prefix + entry.path, shape: entry.shape.dimensions,
        values: Array(UnsafeBufferPointer(start: start, count: entry.count)))
    }
    return (weights.arrays + momenta, ["step": "\(step)"])
  }

  /// Goes back to a snapshot. Throws a `data` fault that names what is missing or of another shape.
  public func restore(_ arrays: [NamedArray], metadata: [String: String]) throws {
    guard let step = metadata["step"].flatMap({ Int($0) }), step >= 0 else {
      throw Fault(.data, "the checkpoint has no step", expected: "a whole number", got: metadata["step"] ?? "nothing")
    }
    let momenta = Dictionary(arrays.map { ($0.name, $0) }) { first, _ in first }
    for entry in trainedEntries {
      guard let array = momenta[Self.prefix + entry.path], array.values.count == entry.count else {
        throw Fault(.data, "the checkpoint lacks an array", path: Self.prefix + entry.path)
      }
    }
    try weights.load(arrays.filter { !$0.name.hasPrefix(Self.prefix) })
    for entry in trainedEntries {
      guard let values = momenta[Self.prefix + entry.path]?.values else { continue }
      momentum.pointer.advanced(by: entry.offset).update(from: values, count: entry.count)
    }
    self.step = step
  }

  private static let prefix = "momentum/"
  private var trainedEntries: [ParameterLayout.Entry] { weights.layout.entries.filter(\.kind.isTrained) }
}
