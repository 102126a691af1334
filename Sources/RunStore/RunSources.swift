import Canonical
import Diagnostics
import Foundation
import GRDB

extension Run {
  /// Keeps the text of a module that the recipe required, as `lib/<path>.lua`. The same text may be given again.
  ///
  /// - Parameter name: the name as it was required: `spaces.mine`.
  /// - Throws: `recipe` when the run already keeps another text for this name.
  public func keep(module name: String, text: String) throws {
    try keep(text: text, as: "lib/" + name.replacingOccurrences(of: ".", with: "/") + ".lua")
  }

  func keep(text: String, as path: String) throws {
    let digest = ContentDigest.of(text)
    let known = try read { db in
      try String.fetchOne(db, sql: "SELECT digest FROM source WHERE path = ?", arguments: [path])
    }
    if known == digest { return }
    guard known == nil else {
      throw Fault(
        .recipe, "the module changed while the run was away", at: path, expected: "digest \(known!.prefix(12))",
        got: "\(digest.prefix(12))", hint: "Start the recipe again with --reuse \(identity.id).")
    }
    guard !path.split(separator: "/").contains("..") else {
      throw Fault(.recipe, "a module's name leaves the run's folder", got: path)
    }
    try RunFolder.write(text, to: folder.appending(path: path))
    try write { db, _ in
      try db.execute(sql: "INSERT INTO source (path, digest) VALUES (?, ?)", arguments: [path, digest])
    }
  }

  /// The recipe's text as run.
  ///
  /// - Throws: `data` when the file is missing or isn't what was run.
  public func recipeText() throws -> String { try text(of: "recipe.lua") }

  /// The text of a module as run, or nil when the run hasn't kept one of this name.
  public func moduleText(_ name: String) throws -> String? {
    let path = "lib/" + name.replacingOccurrences(of: ".", with: "/") + ".lua"
    return try sources().contains(path) ? text(of: path) : nil
  }

  /// The paths of the kept texts within the folder: `recipe.lua`, `lib/…`.
  public func sources() throws -> [String] {
    try read { try String.fetchAll($0, sql: "SELECT path FROM source ORDER BY path") }
  }

  /// One digest of all kept texts with their paths: two runs with equal ones ran the same recipe.
  public func sourcesDigest() throws -> String {
    try read { db in
      let rows = try Row.fetchAll(db, sql: "SELECT path, digest FROM source ORDER BY path")
      return ContentDigest.of(
        try rows.flatMap { [try CheckedRow($0, file)("path"), try CheckedRow($0, file)("digest")] }.joined(
          separator: "\n"))
    }
  }

  private func text(of path: String) throws -> String {
    let url = folder.appending(path: path)
    let digest = try read { db in
      try String.fetchOne(db, sql: "SELECT digest FROM source WHERE path = ?", arguments: [path])
    }
    guard let data = try? Data(contentsOf: url) else {
      throw Fault(.data, "a text of the run is missing", at: url.path(percentEncoded: false), hint: copyHint)
    }
    let text = String(decoding: data, as: UTF8.self)
    guard ContentDigest.of(text) == digest else {
      throw Fault(
        .data, "this text isn't what was run", at: url.path(percentEncoded: false),
        expected: "digest \(digest?.prefix(12) ?? "none")", got: "\(ContentDigest.of(text).prefix(12))",
        hint: "Put the text back, or start your version as a new run with --reuse \(identity.id).")
    }
    return text
  }
}
