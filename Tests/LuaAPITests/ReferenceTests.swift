import Canonical
import Diagnostics
import Foundation
import LuaAPI
import Testing

/// Everything that a recipe can call is declared, and what is declared says what a user needs.
@Suite struct ReferenceTests {
  private let reference: Reference

  init() throws { reference = try Self.loaded.get() }

  private static let loaded = Result { try Reference.load() }

  @Test func everythingIsDocumented() {
    #expect(reference.functions.count > 100)
    var missing: [String] = []
    for function in reference.functions {
      if function.doc.isEmpty { missing.append(function.name) }
      if function.returns.isEmpty { missing.append("\(function.name), what it returns") }
      for parameter in function.arguments + (function.options ?? []) where parameter.doc.isEmpty {
        missing.append("\(function.name), \(parameter.name)")
      }
    }
    for type in reference.classes {
      if type.doc.isEmpty { missing.append(type.name) }
      missing += type.fields.filter(\.doc.isEmpty).map { "\(type.name).\($0.name)" }
    }
    missing += reference.values.filter(\.doc.isEmpty).map(\.name)
    #expect(missing == [], "these have no doc")
  }

  @Test func contextsAreOfTheKnownPlaces() {
    let places: Set = ["recipe", "build", "model", "strategy", "evaluator", "stop rule", "test"]
    for function in reference.functions {
      let named = function.context.components(separatedBy: " or ")
      #expect(places.isSuperset(of: named), "\(function.name) is called in \(function.context)")
    }
  }

  @Test func typesAreThoseThereAre() {
    let basic: Set = [
      "any", "integer", "number", "string", "boolean", "function", "table", "fun", "nil", "false", "userdata",
    ]
    let known = basic.union(reference.classes.map(\.name))
    func check(_ type: String, _ place: String) {
      // Names of a function's parameters stand before a colon.
      let names = type.replacing(#/[A-Za-z_]+\??:/#, with: "").matches(of: #/[A-Za-z_]+/#).map { String($0.output) }
      let unknown = names.filter { !known.contains($0) }
      #expect(unknown == [], "\(place): unknown type in \(type)")
    }
    for function in reference.functions {
      for parameter in function.parameters + (function.options ?? []) {
        check(parameter.type.text, "\(function.name), \(parameter.name)")
      }
      for type in function.resultTypes { check(type.text, "\(function.name), its result") }
    }
    for type in reference.classes { for field in type.fields { check(field.type.text, "\(type.name).\(field.name)") } }
  }

  @Test func everyEntryIsInOneArea() {
    let listed = reference.entries.map(\.name)
    let declared = reference.functions.map(\.name) + reference.classes.map(\.name) + reference.values.map(\.name)
    #expect(Set(declared).subtracting(listed) == [])
    #expect(Set(listed).count == listed.count, "a name is declared twice")
    #expect(listed.count == declared.count)
  }

  @Test func everyFileOfTheLibraryIsThere() throws {
    let families = ["strategies", "evaluators", "spaces", "proxies"].map { "nas.\($0)." }
    let files = LibraryText.names.filter { name in
      families.contains { name.hasPrefix($0) && !name.dropFirst($0.count).contains(".") }
    }
    #expect(files.count > 20)
    #expect(Set(files).subtracting(reference.entries.map(\.name)) == [])
  }

  @Test func everyFunctionOfTheAPIIsDeclared() throws {
    let result = try RecipeHarness().run(
      """
      local nas = require 'nas'
      local function walk(prefix, value)
        for key, field in pairs(value) do
          if type(field) == 'function' then print(prefix .. '.' .. key)
          elseif type(field) == 'table' and key ~= 'measures' then walk(prefix .. '.' .. key, field) end
        end
      end
      walk('nas', nas)
      """)
    #expect(result.fault == nil)
    let undeclared = result.printed.filter { name in !reference.functions.contains { $0.name == name } }
    #expect(undeclared == [])
  }

  /// What a trial keeps for the library itself.
  private static let ownFields: Set = ["Trial.chain", "Trial.is_again", "Trial.key", "Trial.scopes"]

  /// The fields of real objects are those that the classes declare, but for what is kept for the library itself.
  @Test func theFieldsOfObjectsAreDeclared() throws {
    let result = try RecipeHarness().run(
      """
      local nas = require 'nas'
      local seen
      local result = nas.search {
        space = nas.space { a = nas.int(1, 9) },
        strategy = function(search)
          search:evaluate(search.space:random())
          seen = search
        end,
        evaluate = function(trial)
          trial:report(1, { accuracy = 1 })
          return { accuracy = 2 }
        end,
      }
      local function list(name, object)
        for key in pairs(object) do print(name .. '.' .. key) end
      end
      list('Trial', result.trials[1])
      list('Result', result)
      """)
    #expect(result.fault == nil)
    let declared = Set(reference.classes.flatMap { type in type.fields.map { "\(type.name).\($0.name)" } })
    #expect(result.printed.filter { !declared.contains($0) && !Self.ownFields.contains($0) } == [])
    #expect(result.printed.contains("Trial.metrics"))
  }

  /// Every field that a class of the core declares can be read from an object of it.
  @Test func declaredFieldsCanBeRead() throws {
    let result = try RecipeHarness().run(
      """
      local nas = require 'nas'
      local data = nas.data.open('shapes', { valid = 0.2, limit = 100 })
      local space = nas.spaces.nasbench201 { channels = 2, cells = 1 }
      local network = space:random():network(data)
      local model = nas.model(function(x) return nas.nn.linear(x, 2) end)
      local batch = data:batches { size = 4 } ()
      model(nas.ones { 2, 3 })
      local objects = {
        Data = data, Batch = batch, Network = network, Tensor = nas.ones { 2 }, Matrix = nas.linalg.identity(2),
        Run = nas.run, Optimiser = nas.optim.sgd(model:parameters(), { lr = 0.1 }),
        Weights = nas.weights(space, { data = data }), Relaxed = nas.relax(space, { data = data }),
        Probed = network:probe { batch = batch, wrt = { 'input', 'weights' }, capture = 'relu' },
      }
      for name, object in pairs(objects) do
        local fields = ({ \(fieldLists) })[name]
        for _, field in ipairs(fields) do
          if object[field] == nil then print(name .. '.' .. field .. ' is nil') end
        end
        print(name)
      end
      """)
    #expect(result.fault?.description == nil)
    #expect(result.printed.filter { $0.hasSuffix("is nil") } == [])
    #expect(result.printed.count == 10)
  }

  /// The declared fields that are never nil, as a Lua table by class.
  private var fieldLists: String {
    reference.classes.map { type in
      let names = type.fields.filter { !$0.optional && $0.name != "[string]" }.map { "'\($0.name)'" }
      return "\(type.name) = { \(names.joined(separator: ", ")) }"
    }.joined(separator: ", ")
  }

  @Test func examplesAreLua() throws {
    let examples = reference.functions.compactMap { function in function.example.map { (function.name, $0) } }
    #expect(examples.count >= 10)
    for (name, example) in examples {
      let fault = try RecipeHarness().run("if true then return end\n" + example.replacing("…", with: "")).fault
      #expect(fault?.description == nil, "\(name)")
    }
  }

  // MARK: - Finding

  @Test(arguments: [
    ("nas.nn.conv2d", ["nas.nn.conv2d"]), ("conv2d", ["nas.nn.conv2d"]), ("space.random", ["space:random"]),
    ("trial", ["Trial"]), ("network", ["nas.network", "Network", "arch:network", "trial:network", "weights:network"]),
  ])
  func namesAreFound(text: String, names: [String]) throws {
    #expect(Set(try reference.entries(named: text).map(\.name)) == Set(names))
  }

  @Test func aMisspelledNameGetsASuggestion() throws {
    let fault = #expect(throws: Fault.self) { _ = try reference.entries(named: "nas.nn.conv2") }
    #expect(
      fault?.description == "nothing in nasrun is called 'nas.nn.conv2'. Did you mean 'nas.nn.conv2d'?"
    )
    let other = #expect(throws: Fault.self) { _ = try reference.entries(named: "qqqqqqq") }
    #expect(other?.hint == "'nasrun api' lists everything.")
  }

  // MARK: - Forms

  @Test func theEditorFileIsLua() throws {
    let text = EditorFile(reference).text
    #expect(text.hasPrefix(EditorFile.mark))
    #expect(try RecipeHarness().run("if true then return end\n" + text).fault?.description == nil)
    #expect(text.contains("---@param arch nas.Architecture of the search's space\n"))
    #expect(
      text.contains("---@field direction? \"max\"|\"min\" which scores promise better networks (default: \"max\")"))
    #expect(text.contains("\nfunction Space:random() end\n"))
    #expect(text.contains("\n---@generic T: nas.Value|nas.Tensor\n---@param x T an input\n"))
  }

  @Test func thePageHasEveryEntryAndNothingUnescaped() {
    let page = ReferencePage(reference).text
    for entry in reference.entries { #expect(page.contains("<article id=\"\(entry.name)\">"), "\(entry.name)") }
    #expect(page.contains("table&lt;string, number&gt;"))
    #expect(!page.contains("table<string"))
    #expect(page.matches(of: #/https?:\/\//#).isEmpty, "the page points outside")
    let hostile = Reference(
      functions: [Declaration("nas.x", "<script>alert(1)</script> & \"so\"", returns: "nothing")], classes: [],
      values: [])
    #expect(ReferencePage(hostile).text.contains("<p>&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;so&quot;</p>"))
  }

  @Test func aSignatureNamesWhatMustBeGiven() throws {
    func signature(_ name: String) throws -> String? {
      guard case .function(let function) = try reference.entries(named: name)[0] else { return nil }
      return function.signature
    }
    #expect(try signature("nas.stop.target") == "nas.stop.target(value, [metric])")
    #expect(try signature("conv2d") == "nas.nn.conv2d(x, channels, { kernel =, … })")
    #expect(try signature("nas.search") == "nas.search { space =, strategy =, evaluate =, … }")
  }

  @Test func jsonIsVersioned() throws {
    #expect(reference.json["schema"] == 1)
    let areas = try #require(reference.json["areas"]?.array)
    #expect(areas.first?["name"] == "nas")
    let target = try #require(try reference.entries(named: "nas.stop.target").first)
    #expect(target.json["parameters"]?.array?.first?["required"] == true)
    #expect(target.json["returns"] == ["fun(state: SearchState): string?"])
  }
}
