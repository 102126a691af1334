import Diagnostics
import Foundation
import LuaHost
import Testing

/// A folder with files, removed at the end.
private final class Folder {
  let path: String

  init(_ files: [String: String]) throws {
    path = NSTemporaryDirectory() + "lua-modules-\(UUID().uuidString)"
    for (name, text) in files { try write(name, text) }
  }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ text: String) throws {
    let file = URL(fileURLWithPath: path + "/" + name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }
}

struct ModuleTests {
  @Test func looksInTheRecipeFolderThenTheLibrary() throws {
    let recipes = try Folder(["cells.lua": "return { name = ... }", "zoo/init.lua": "return 'zoo'"])
    let library = try Folder(["nas/search.lua": "return 'mine'", "cells.lua": "return 'not this'"])
    let (host, lines) = try makeHost {
      $0.recipeFolders = [recipes.path]
      $0.scriptsFolder = library.path
    }
    try host.run(
      "print(require('cells').name, require 'zoo', require 'nas.search', type(pcall(require, 'nas')), require 'cells' == require 'cells')",
      chunkName: "recipe.lua")
    #expect(lines.all == ["cells\tzoo\tmine\tboolean\ttrue"])
    #expect(host.requiredModules.prefix(4).map(\.name) == ["cells", "zoo", "nas.search", "nas"])
    #expect(host.requiredModules.prefix(4).map(\.isLibrary) == [false, false, true, true])
    #expect(host.requiredModules[0].path == recipes.path + "/cells.lua")
    #expect(host.requiredModules[0].text == "return { name = ... }")
    #expect(host.requiredModules[3].path == "nas/init.lua")
  }

  @Test func aFailingModuleIsNamedAndCanBeTriedAgain() throws {
    let folder = try Folder(["cells.lua": "\nlocal x = nil + 1", "bad.lua": "local = 1"])
    let (host, lines) = try makeHost { $0.recipeFolders = [folder.path] }
    #expect(
      try fault("require 'cells'", host)?.description
        == "cells.lua:2: module 'cells': attempt to perform arithmetic on a nil value (required at recipe.lua:1). "
        + "A variable, field or metric that isn't there is nil: check how it is spelt.")
    #expect(host.lastTraceback.frames.map(\.place) == ["cells.lua:2", "[host]", "recipe.lua:1"])
    #expect(
      try fault("require 'bad'", host)?.description
        == "bad.lua:1: module 'bad': <name> expected near '=' (required at recipe.lua:1)")
    try folder.write("cells.lua", "return 'mended'")
    try host.run("print(require 'cells')", chunkName: "recipe.lua")
    #expect(lines.all == ["mended"])
  }

  @Test func cyclesAreShown() throws {
    let folder = try Folder(["a.lua": "require 'b'", "b.lua": "\nrequire 'a'"])
    let (host, _) = try makeHost { $0.recipeFolders = [folder.path] }
    let error = try fault("require 'a'", host)
    #expect(error?.message == "modules require each other")
    #expect(error?.got == "a → b → a")
    #expect(error?.at == "b.lua:2")
  }

  @Test func aMissingModuleSaysWhereItLooked() throws {
    let folder = try Folder(["cells.lua": "return {}"])
    let (host, _) = try makeHost { $0.recipeFolders = [folder.path] }
    #expect(
      try fault("require 'cels'", host)?.description
        == "recipe.lua:1: there is no module 'cels' (looked in \(folder.path)/cels.lua, \(folder.path)/cels/init.lua, the embedded library). Did you mean 'cells'?"
    )
    #expect(
      try fault("require '../cells'", host)?.description
        == "recipe.lua:1: no module can have the name '../cells': expected names joined by dots, such as 'nas.search'")
  }

  /// A mistake in a call of the library is the recipe's: its line is blamed, not the library's.
  @Test func theLibraryBlamesTheRecipe() throws {
    let library = try Folder([
      "nas/init.lua": """
      local core = require 'core'
      return { open = function(x) return core.check(x) end, raise = function() error('broken') end }
      """
    ])
    let (host, _) = try makeHost { $0.scriptsFolder = library.path }
    let check = host.function("nas.check") { call in
      guard call.number(1) != nil else { throw call.wrong(1, expected: "a number") }
    }
    try host.provide("core", host.table(["check": check]))
    #expect(
      try fault("local nas = require 'nas'\n\nnas.open('x')", host)?.description
        == "recipe.lua:3: wrong argument 1 of 'nas.check': expected a number, got the text \"x\"")
    #expect(host.lastTraceback.frames.map(\.place) == ["[host]", "nas/init.lua:2", "recipe.lua:3"])
    #expect(
      try fault("local nas = require 'nas'\nnas.raise()", host)?.description
        == "recipe.lua:2: broken (raised in nas/init.lua:2)")
  }

  @Test func theEmbeddedLibraryIsTheFolder() throws {
    let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../Scripts")
      .standardizedFileURL
    let files = FileManager.default.enumerator(atPath: scripts.path + "/nas")?.compactMap { $0 as? String } ?? []
    let expected = files.filter { $0.hasSuffix(".lua") }.map { "nas/\($0)" }.sorted()
    #expect(LuaHost.embeddedLibrary.map(\.path).sorted() == expected)
    for module in LuaHost.embeddedLibrary {
      #expect(module.text == (try String(contentsOf: scripts.appending(path: module.path), encoding: .utf8)))
    }
  }
}
