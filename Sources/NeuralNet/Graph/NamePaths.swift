import Canonical
import Diagnostics

/// The names of what one build, or one call of a model, makes: open scopes, automatic names, paths in use.
///
/// A path is the open scopes joined by `/`, then a name, or an op and a number counted within that scope from 1
/// (`conv2d1`, `batch_norm1`). It is used once.
struct NamePaths {
  /// One scope that is open.
  private struct Scope {
    let path: String
    /// How many nodes of each op have had an automatic name here: of so few ops that comparing takes less than hashing.
    var counts: [(op: String, count: Int)] = []

    mutating func count(_ op: String) -> Int {
      guard let known = counts.firstIndex(where: { $0.op == op }) else {
        counts.append((op, 1))
        return 1
      }
      counts[known].count += 1
      return counts[known].count
    }
  }

  private var scopes = [Scope(path: "")]
  /// Every path in use, with what it is.
  private var paths: [String: String] = [:]

  /// The path of the open scopes, empty at the top.
  var scopePath: String { scopes[scopes.count - 1].path }

  /// Opens a scope. A scope of this name must not have been opened in the same parent before: its nodes would mix.
  mutating func pushScope(_ name: String) throws {
    let path = path(of: name)
    try Self.check(name, path: path)
    try claim(path, as: "a scope")
    scopes.append(Scope(path: path))
  }

  /// Closes the scope opened last.
  mutating func popScope() {
    if scopes.count > 1 { scopes.removeLast() }
  }

  /// The next automatic name of an op in the open scope.
  mutating func automaticName(_ op: String) -> String { "\(op)\(countAutomaticName(op))" }

  /// Counts an automatic name of an op in the open scope; its number.
  @discardableResult
  mutating func countAutomaticName(_ op: String) -> Int { scopes[scopes.count - 1].count(op) }

  /// The path that a name has in the open scope.
  func path(of name: String) -> String { scopePath.isEmpty ? name : "\(scopePath)/\(name)" }

  /// Takes a path, or throws when it is taken.
  mutating func claim(_ path: String, as what: String) throws {
    if let holder = paths[path] {
      throw Fault(
        .recipe, "\(what) can't have a path that \(holder) has already", path: path,
        hint: "Give one of them another name"
          + (what == "a scope" ? "; two nn.choice of the same options: wrap each in an nn.scope of its own." : "."))
    }
    paths[path] = what
  }

  /// Throws for a name of other characters than paths are made of.
  static func check(_ name: String, path: String) throws {
    let isPlain = name.unicodeScalars.allSatisfy { scalar in
      "a"..."z" ~= scalar || "A"..."Z" ~= scalar || "0"..."9" ~= scalar || scalar == "_" || scalar == "-"
    }
    guard isPlain, !name.isEmpty else {
      throw Fault(
        .recipe, "wrong name", path: path.isEmpty ? nil : path, expected: "letters, digits, '_' and '-'",
        got: JSONValue.string(name).text())
    }
  }
}
