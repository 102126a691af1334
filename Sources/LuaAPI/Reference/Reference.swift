import Canonical
import Diagnostics
import Foundation
import LuaHost
import RunStore

/// Everything that a recipe can call, as it is declared: what `nasrun api`, the editor files and the reference page are
/// made from.
public struct Reference: Sendable {
  public let functions: [Declaration]
  public let classes: [ClassDeclaration]
  public let values: [ValueDeclaration]

  public init(functions: [Declaration], classes: [ClassDeclaration], values: [ValueDeclaration]) {
    self.functions = functions
    self.classes = classes
    self.values = values
  }

  /// Loads the library, every file of it, and takes what it declares.
  ///
  /// - Parameter scripts: a folder with a `nas/` that wins over the embedded library.
  public static func load(scripts: String? = nil) throws -> Reference {
    try LuaHost.onBigStack {
      let folder = FileManager.default.temporaryDirectory
      var options = SessionOptions(
        recipe: RecipeSource(file: "reference.lua", folder: folder.path, text: "require 'nas.reference'\n"),
        runs: folder)
      options.scriptsFolder = scripts
      // The runner doesn't keep its observer.
      let observer = SilentObserver()
      return try withExtendedLifetime(observer) {
        let runner = try RecipeRunner(options, observer: observer)
        _ = try runner.run()
        return Reference(functions: runner.declarations, classes: runner.classes, values: runner.values)
      }
    }
  }

  // MARK: - Parts

  /// One entry of the reference.
  public enum Entry: Sendable {
    case function(Declaration)
    case type(ClassDeclaration)
    case value(ValueDeclaration)

    public var name: String {
      switch self {
      case .function(let function): function.name
      case .type(let type): type.name
      case .value(let value): value.name
      }
    }

    public var doc: String {
      switch self {
      case .function(let function): function.doc
      case .type(let type): type.doc
      case .value(let value): value.doc
      }
    }
  }

  /// Entries that belong together, under a title.
  public struct Area: Sendable {
    /// `nas.nn`, or a class.
    public let name: String
    public let title: String
    public let entries: [Entry]
  }

  /// All entries: the tables of functions in the order of a recipe, then a class each with its methods.
  public var areas: [Area] {
    let titled = Self.titles.map { name, title in
      let functions = functions.filter { !$0.isMethod && $0.family == name }.map(Entry.function)
      let values = values.filter { Declaration.family(of: $0.name) == name }.map(Entry.value)
      return Area(name: name, title: title, entries: (functions + values).sorted { $0.name < $1.name })
    }
    return titled.filter { !$0.entries.isEmpty } + classes.sorted { $0.name < $1.name }.map(area)
  }

  private func area(of type: ClassDeclaration) -> Area {
    Area(name: type.name, title: "Class \(type.name)", entries: [.type(type)] + methods(of: type).map(Entry.function))
  }

  /// The tables of functions. One that isn't here would be in no area, which a test refuses.
  private static let titles = [
    ("nas", "A recipe"), ("nas.data", "Data"), ("nas.nn", "Networks: nas.nn"), ("nas.spaces", "Spaces"),
    ("nas.strategies", "Strategies"), ("nas.evaluators", "Evaluators"), ("objectives", "Objectives that are measured"),
    ("nas.proxies", "Zero-cost proxies"), ("nas.stop", "Stop rules"), ("nas.plot", "Figures"), ("nas.test", "Tests"),
    ("nas.optim", "Optimisers of your own models"), ("nas.linalg", "Linear algebra in double precision"),
    ("nas.genotype", "Genotypes of DARTS: require \"nas.genotype\""),
  ]

  /// The methods of a class, by name.
  public func methods(of type: ClassDeclaration) -> [Declaration] {
    functions.filter { $0.isMethod && $0.family == type.object }.sorted { $0.name < $1.name }
  }

  // MARK: - Finding

  public var entries: [Entry] { areas.flatMap(\.entries) }

  /// The entries that `text` names: a whole name (`nas.nn.conv2d`, `Space`), or the end of one (`conv2d`, `space.random`);
  /// a name of an area gives the area's.
  public func entries(named text: String) throws -> [Entry] {
    let wanted = text.replacing(":", with: ".")
    let plain = entries.map { (entry: $0, name: $0.name.replacing(":", with: ".")) }
    let same = plain.filter { $0.name == wanted }
    if !same.isEmpty { return same.map(\.entry) }
    let ending = plain.filter { $0.name.hasSuffix("." + wanted) || $0.name.lowercased() == wanted.lowercased() }
    if !ending.isEmpty { return ending.map(\.entry) }
    if let area = areas.first(where: { $0.name == text }) { return area.entries }
    throw Fault(.usage, "nothing in nasrun is called '\(text)'", hint: suggestion(for: wanted))
  }

  /// The names nearest to a word, then those that contain it.
  private func suggestion(for text: String) -> String {
    let leaf = API.leaf(text)
    let near = entries.map { (name: $0.name, edits: Suggestion.distance(leaf, API.leaf($0.name))) }
      .filter { $0.edits <= min(2, leaf.count / 2) }.sorted { ($0.edits, $0.name) < ($1.edits, $1.name) }.map(\.name)
    let containing = entries.map(\.name).filter { leaf.count > 2 && $0.lowercased().contains(leaf.lowercased()) }
    var seen = Set<String>()
    let found = (near + containing).filter { seen.insert($0).inserted }.prefix(6)
    return found.isEmpty
      ? "'nasrun api' lists everything." : "Did you mean \(found.map { "'\($0)'" }.joined(separator: ", "))?"
  }
}
