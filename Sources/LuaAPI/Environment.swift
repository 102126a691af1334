import Canonical
import Foundation
import RunStore
import TensorCore

/// The version of nasrun.
public let nasrunVersion = "0.1.0"

/// What a reader of a run needs to judge its numbers or to repeat it.
enum Environment {

  static func record(_ options: SessionOptions, compute: Compute, library: String) -> JSONValue {
    .object([
      "nasrun": .string(nasrunVersion),
      "library": .string(library),
      "numerics": compute.numerics,
      "threads": .int(compute.threads),
      "cpu": .string(Machine.processor ?? "unknown"),
      "system": .string(ProcessInfo.processInfo.operatingSystemVersionString),
      "git": git(in: URL(filePath: options.recipe.folder)),
      "trusted": .bool(options.trusted),
      "folder": .string(options.workingFolder),
      "named_settings": .array(options.settings.map { .string($0.name) }),
    ])
  }

  /// The commit of the recipe's folder and whether it had changes; null outside a repository.
  private static func git(in folder: URL) -> JSONValue {
    guard let commit = Tool.output(of: "git", ["rev-parse", "HEAD"], in: folder) else { return .null }
    let changes = Tool.output(of: "git", ["status", "--porcelain"], in: folder)
    return ["commit": .string(commit), "dirty": .bool(changes?.isEmpty == false)]
  }
}
