import Canonical
import Datasets
import LuaHost
import NeuralNet

/// A stand-alone network as scripts hold it: the graph, its weights, and the chain of what was done to them.
final class NetworkObject: LuaObject {
  static let luaName = "Network"
  let graph: Graph
  let weights: Weights
  let arch: ArchitectureObject
  let dataset: Dataset
  /// How its input was normalised when it was last trained; else as for the data's training part.
  var normalisation: Normalisation
  /// The name of its random streams.
  let stream: String
  /// Digest of (previous version, operation, inputs): equal versions have equal weights.
  private(set) var version: String

  var nativeBytes: Int { weights.byteCount }

  init(
    _ graph: Graph, _ weights: Weights, arch: ArchitectureObject, dataset: Dataset, stream: String, seed: UInt64
  ) {
    self.dataset = dataset
    normalisation = dataset.normalisation
    self.graph = graph
    self.weights = weights
    self.arch = arch
    self.stream = stream
    version = ContentDigest.of(graph.digest, stream, String(seed))
  }

  /// The version after an operation with these inputs.
  func version(after operation: JSONValue) -> String { ContentDigest.of(version, operation.text()) }

  func advance(to version: String) { self.version = version }
}
