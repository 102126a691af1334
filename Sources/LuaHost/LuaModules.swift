import CLua
import CLuaShims
import Diagnostics
import Foundation

/// A module that a script required.
public struct LuaModule: Sendable, Equatable {
  /// The name given to `require`, `nas.search`.
  public var name: String
  /// The file, or the path below `Scripts` of a module that is part of the executable.
  public var path: String
  /// The source text.
  public var text: String
  /// True for a module of the library, false for one of the recipe's folder.
  public var isLibrary: Bool
}

extension LuaHost {
  /// Gives scripts a native module: `require(name)` returns `value`.
  public func provide(_ name: String, _ value: LuaValue) { loaded[name] = value }

  /// The modules of the library that is part of the executable, with their paths below `Scripts`.
  public static var embeddedLibrary: [LuaModule] {
    (0..<Int(shim_module_count())).map { index in
      let module = shim_modules()[index]
      let path = String(cString: module.name)
      let bytes = UnsafeRawBufferPointer(start: module.begin, count: module.end - module.begin)
      return LuaModule(
        name: moduleName(ofPath: path), path: path, text: String(decoding: bytes, as: UTF8.self), isLibrary: true)
    }
  }

  /// `nas/init.lua` is `nas`, `nas/search.lua` is `nas.search`.
  static func moduleName(ofPath path: String) -> String {
    let name = path.hasSuffix("/init.lua") ? path.dropLast(9) : path.dropLast(4)
    return name.replacingOccurrences(of: "/", with: ".")
  }

  // MARK: - require

  func declareRequire() {
    let require = function("require") { [unowned self] call in
      guard let name = call.string(1) else { throw call.wrong(1, expected: "the name of a module") }
      try call.push(try self.require(name))
    }
    try? setGlobal("require", to: require)
  }

  /// What the module `name` returns; it runs when it is required for the first time. Throws a `recipe` fault for a
  /// module that isn't there, that fails, or that requires itself.
  public func require(_ name: String) throws -> LuaValue {
    if let value = loaded[name] {
      if let module = requiredModules.first(where: { $0.name == name }) { try checkAllowed(module) }
      return value
    }
    if loading.contains(name) {
      let cycle = loading.drop { $0 != name } + [name]
      throw Fault(
        .recipe, "modules require each other", got: cycle.joined(separator: " → "),
        hint: "Move what both need into a third module.")
    }
    let module = try find(name)
    try checkAllowed(module)
    let place = self.place
    loading.append(name)
    defer { loading.removeLast() }
    do {
      let value = try run(module)
      loaded[name] = value
      return value
    } catch let fault as Fault {
      throw blame(module, fault, place)
    }
  }

  private func checkAllowed(_ module: LuaModule) throws {
    guard !allowsRecipeModules, !module.isLibrary else { return }
    throw Fault(
      .recipe, "the module '\(module.name)' is required inside a trial, where a change of it would go unnoticed",
      hint: "Require it at the top of the recipe and use it here.")
  }

  /// Names the module that failed, and the line that required it. A mistake that has a path keeps it.
  private func blame(_ module: LuaModule, _ fault: Fault, _ place: String?) -> Fault {
    guard fault.code == .recipe, fault.path == nil, fault.cause == nil else { return fault }
    return amend(fault) { fault in
      fault.path = "module '\(module.name)'"
      fault.cause = place.map { "required at \($0)" }
    }
  }

  private func run(_ module: LuaModule) throws -> LuaValue {
    let state = self.state
    try LuaStack.reserve(state, 8)
    let chunk = chunkName(of: module)
    try load(Array(module.text.utf8), chunkName: chunk, library: module.isLibrary, state)
    if !requiredModules.contains(module) { requiredModules.append(module) }
    let results = try callPushed(state, [.string(module.name)])
    if let first = results.first, !first.isNil { return first }
    return .bool(true)
  }

  private func chunkName(of module: LuaModule) -> String {
    let path = module.name.replacingOccurrences(of: ".", with: "/")
    return module.path.hasSuffix("init.lua") ? "\(path)/init.lua" : "\(path).lua"
  }

  // MARK: - Finding

  /// Looks in the recipe's folder, in the library folder, in the embedded library.
  private func find(_ name: String) throws -> LuaModule {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let valid = parts.allSatisfy {
      !$0.isEmpty && $0.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" }
    }
    guard valid else {
      throw Fault(
        .recipe, "no module can have the name '\(name)'", expected: "names joined by dots, such as 'nas.search'")
    }
    let paths = [parts.joined(separator: "/") + ".lua", parts.joined(separator: "/") + "/init.lua"]
    let libraries = [options.scriptsFolder].compactMap { $0 }
    let folders = options.recipeFolders.map { ($0, false) } + libraries.map { ($0, true) }
    for (folder, isLibrary) in folders {
      for path in paths {
        let file = folder + "/" + path
        guard let data = FileManager.default.contents(atPath: file) else { continue }
        return LuaModule(name: name, path: file, text: try Self.text(of: data, file), isLibrary: isLibrary)
      }
    }
    if var module = Self.embeddedLibrary.first(where: { paths.contains($0.path) }) {
      module.name = name
      return module
    }
    throw missing(name, paths)
  }

  private static func text(of data: Data, _ file: String) throws -> String {
    if let text = String(validating: data, as: UTF8.self) { return text }
    throw notUTF8(Array(data), (file as NSString).lastPathComponent)
  }

  private func missing(_ name: String, _ paths: [String]) -> Fault {
    let folders = options.recipeFolders + [options.scriptsFolder].compactMap { $0 }
    let places = folders.flatMap { folder in paths.map { folder + "/" + $0 } } + ["the embedded library"]
    let own = Set(neighbours()), known = own.union(loaded.keys).union(Self.embeddedLibrary.map(\.name))
    let hint = Suggestion.nearest(to: name, among: known).map { "Did you mean '\($0)'?" }
    return Fault(
      .recipe, "there is no module '\(name)'",
      hint: hint ?? (own.isEmpty ? nil : "Beside the recipe: \(own.sorted().joined(separator: ", "))."),
      cause: "looked in " + places.joined(separator: ", "))
  }

  private func neighbours() -> [String] {
    options.recipeFolders.flatMap { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] }
      .filter { $0.hasSuffix(".lua") }.map { String($0.dropLast(4)) }
  }
}

// MARK: - Loading

extension LuaHost {
  /// Compiles a chunk and leaves its function on the stack.
  func load(_ text: [UInt8], chunkName: String, library: Bool, _ state: OpaquePointer) throws {
    if text.first == 0x1B {
      throw Fault(
        .recipe, "\(chunkName) is bytecode", expected: "Lua source text", hint: "Run the source file instead.")
    }
    guard String(validating: text, as: UTF8.self) != nil else { throw Self.notUTF8(text, chunkName) }
    if library { libraryChunks.insert(chunkName) }
    let status = Self.skippingFirstLine(text).withUnsafeBytes { bytes in
      luaL_loadbufferx(
        state, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, (library ? "=" : "@") + chunkName,
        "t")
    }
    guard status == LUA_OK else { throw popError(state, status: status) }
    shim_push_environment(state)
    lua_setupvalue(state, -2, 1)
  }

  /// The text without a byte-order mark, and without the words of a `#!` line.
  private static func skippingFirstLine(_ text: [UInt8]) -> ArraySlice<UInt8> {
    let text = text.starts(with: [0xEF, 0xBB, 0xBF]) ? text.dropFirst(3) : text[...]
    return text.first == UInt8(ascii: "#") ? text.drop { $0 != UInt8(ascii: "\n") } : text
  }

  static func notUTF8(_ text: [UInt8], _ name: String) -> Fault {
    var line = 1
    for part in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      if String(validating: part, as: UTF8.self) == nil { break }
      line += 1
    }
    return Fault(
      .recipe, "the text is not UTF-8", at: "\(name):\(line)", hint: "Save the file in the encoding UTF-8.")
  }
}
