import Canonical
import Diagnostics
import Foundation

/// How a run stands.
public enum RunStatus: String, Sendable, CaseIterable {
  /// A process is at work on it.
  case running
  /// The recipe came to its end.
  case finished
  /// Stopped by the user or killed; `resume` goes on.
  case interrupted
  /// The recipe ended with an error.
  case failed
}

/// What a run is from its first moment on; nothing in it changes later.
public struct RunIdentity: Sendable, Equatable {
  /// The name of the run's folder when it was made: `20261120-231145-quickstart`.
  public var id: String
  public var name: String
  /// The recipe's file name, without folders.
  public var recipe: String
  /// The folder the recipe was started from, where its data and modules are found again.
  public var recipeFolder: String
  /// The recipe's arguments, all of them, by name.
  public var arguments: JSONValue
  public var seed: UInt64
  /// Versions, numerics, processor, git commit and whether the tree was dirty.
  public var environment: JSONValue
  /// The id of the run whose effects this one may take; nil without `--reuse`.
  public var parent: String?
  /// Seconds since 1970.
  public var created: Double
}

extension RunIdentity {
  var json: JSONValue {
    .object([
      "schema": 1, "id": .string(id), "name": .string(name), "recipe": .string(recipe),
      "recipe_folder": .string(recipeFolder), "arguments": arguments, "seed": .string(String(seed)),
      "environment": environment, "parent": parent.map(JSONValue.string) ?? .null, "created": .number(created),
    ])
  }

  init(json: JSONValue, source: String) throws {
    guard let id = json["id"]?.string, let name = json["name"]?.string, let recipe = json["recipe"]?.string,
      let folder = json["recipe_folder"]?.string, let seed = json["seed"]?.string.flatMap({ UInt64($0) }),
      let created = json["created"]?.double
    else {
      throw Fault(.data, "\(source): the run's identity is damaged", got: json.text())
    }
    self.init(
      id: id, name: name, recipe: recipe, recipeFolder: folder, arguments: json["arguments"] ?? .null, seed: seed,
      environment: json["environment"] ?? .null, parent: json["parent"]?.string, created: created)
  }
}
