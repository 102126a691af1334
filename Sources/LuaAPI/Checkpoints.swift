import Canonical
import Diagnostics
import Exchange
import Foundation
import NeuralNet

/// The training states of a run's trials, for `search:continue`: a cache in the run's folder, with a bound on its size.
///
/// A state that is gone, or whose file is damaged, can be computed again to the same bits, so nothing depends on it.
struct Checkpoints {
  /// The run's own.
  let folder: URL
  /// The parent run's, which may have what this one asks for.
  let parent: URL?

  private static let suffix = ".safetensors"

  private func file(_ key: String, in folder: URL) -> URL {
    folder.appending(path: String(key.prefix(32)) + Self.suffix)
  }

  /// Keeps the state that a network's training ended in, and removes those that were not used for longest until all take
  /// at most `limit` bytes. A state above the limit isn't kept.
  func keep(_ network: NetworkObject, key: String, limit: Int) throws {
    guard let training = network.training else { return }
    var (arrays, metadata) = training.state.snapshot()
    let bytes = arrays.reduce(0) { $0 + 4 * $1.values.count }
    guard bytes <= limit else { return }
    metadata["epochs"] = "\(training.epochs)"
    metadata["version"] = network.version
    metadata["digest"] = arrays.digest
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Safetensors.write(
      arrays, metadata: metadata, to: file(key, in: folder).path(percentEncoded: false))
    clean(limit: limit, keeping: file(key, in: folder))
  }

  /// Brings a new network into the state under a key, ready to go on; false when there is none that can be read.
  func restore(_ network: NetworkObject, key: String) -> Bool {
    for folder in [folder, parent].compactMap({ $0 }) {
      let file = file(key, in: folder)
      guard let (arrays, metadata) = try? Safetensors.read(file.path(percentEncoded: false)),
        let version = metadata["version"], let epochs = metadata["epochs"].flatMap({ Int($0) }),
        metadata["digest"] == arrays.digest, let state = try? TrainingState(network.weights),
        (try? state.restore(arrays, metadata: metadata)) != nil
      else { continue }
      try? FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: file.path)
      network.advance(to: version, training: NetworkObject.Training(state: state, epochs: epochs))
      network.goesOn = true
      return true
    }
    return false
  }

  /// Gives the disk back.
  func removeAll() { try? FileManager.default.removeItem(at: folder) }

  private func clean(limit: Int, keeping kept: URL) {
    let keys: Set<URLResourceKey> = [.fileSizeKey, .contentModificationDateKey]
    let files =
      (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: Array(keys))) ?? []
    var entries = files.compactMap { file -> (file: URL, size: Int, used: Date)? in
      guard let values = try? file.resourceValues(forKeys: keys), let size = values.fileSize,
        let used = values.contentModificationDate
      else { return nil }
      return (file, size, used)
    }
    entries.sort { ($0.used, $0.file.path) < ($1.used, $1.file.path) }
    var total = entries.reduce(0) { $0 + $1.size }
    for entry in entries where total > limit && entry.file.lastPathComponent != kept.lastPathComponent {
      try? FileManager.default.removeItem(at: entry.file)
      total -= entry.size
    }
  }
}
