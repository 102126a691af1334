import CLua
import CLuaShims
import Canonical
import Diagnostics

extension LuaHost {
  /// The digest of a Lua function: its code without line numbers, names of locals and comments, and all that it
  /// captures, by value: numbers, texts, tables, functions. Globals are the sandbox's, hence not part of it. Library
  /// modules count by name and text, host functions by name, userdata by what `userdata` returns.
  ///
  /// - Parameters:
  ///   - leavingOut: names of captured variables that don't count.
  ///   - userdata: the digest of an object, nil for one that has none.
  /// - Throws: a `recipe` fault that names the variable that has no digest: a coroutine, an iterator, an object
  ///   without one, a table with tables as keys.
  public func digest(
    of function: LuaReference, leavingOut: Set<String> = [], userdata: (any LuaObject) -> String? = { _ in nil }
  ) throws -> String {
    try withoutActuallyEscaping(userdata) { userdata in
      let (_, state) = try function.enter()
      defer { shim_pop(state, 1) }
      var walker = DigestWalker(state: state, leftOut: leavingOut, userdata: userdata, known: knownValues(state))
      try walker.add(lua_gettop(state), path: "")
      return walker.digest.finish()
    }
  }

  /// The values that count by name: libraries and their functions, modules of the library, native modules.
  private func knownValues(_ state: OpaquePointer) -> [UnsafeRawPointer: String] {
    var known: [UnsafeRawPointer: String] = [:]
    shim_push_environment(state)
    if let pointer = lua_topointer(state, -1) { known[pointer] = "globals" }
    shim_push_globals(state)
    addFields(of: state, "", to: &known, depth: 1)
    shim_pop(state, 2)
    for (name, value) in loaded {
      let module = requiredModules.first { $0.name == name }
      guard case .table(let table) = value, module?.isLibrary ?? true, (try? table.enter()) != nil else { continue }
      let text = module.map { ContentDigest.of($0.text) } ?? ""
      if let pointer = lua_topointer(state, -1) { known[pointer] = "module \(name) \(text)" }
      shim_pop(state, 1)
    }
    return known
  }

  /// Adds the C functions and read-only tables among the fields of the table on top.
  private func addFields(
    of state: OpaquePointer, _ prefix: String, to known: inout [UnsafeRawPointer: String], depth: Int
  ) {
    let table = lua_gettop(state)
    lua_pushnil(state)
    while lua_next(state, table) != 0 {
      let name = prefix + (LuaStack.lossyText(state, table + 1) ?? "")
      if let pointer = lua_topointer(state, table + 2), known[pointer] == nil {
        if lua_iscfunction(state, table + 2) != 0 { known[pointer] = name }
        if depth > 0, shim_push_behind(state, table + 2) {
          known[pointer] = name
          addFields(of: state, name + ".", to: &known, depth: depth - 1)
        }
      }
      lua_settop(state, table + 1)
    }
  }
}

/// Walks a value and what it reaches, in an order that only the content decides.
private struct DigestWalker {
  let state: OpaquePointer
  let leftOut: Set<String>
  let userdata: (any LuaObject) -> String?
  let known: [UnsafeRawPointer: String]
  let digest = ContentDigest()
  /// Tables and functions in the order of the first visit, for cycles and shared parts.
  var seen: [UnsafeRawPointer: Int] = [:]
  /// The function that is walked, for error texts.
  var function = ""

  mutating func add(_ index: Int32, path: String) throws {
    try LuaStack.reserve(state, 8)
    switch lua_type(state, index) {
    case LUA_TNIL: digest.update("nil")
    case LUA_TBOOLEAN: digest.update(lua_toboolean(state, index) != 0 ? "true" : "false")
    case LUA_TNUMBER: add(LuaStack.number(state, index))
    case LUA_TSTRING:
      digest.update("text")
      add(bytes: LuaStack.bytes(state, index))
    case LUA_TTABLE: try visit(index) { try $0.addTable(index, path: path) }
    case LUA_TFUNCTION: try visit(index) { try $0.addFunction(index, path: path) }
    case LUA_TUSERDATA:
      let object = LuaStack.object(state, index)
      guard let text = object.flatMap(userdata) else { throw undigestible(index, path) }
      digest.update("userdata")
      digest.update(text)
    default: throw undigestible(index, path)
    }
  }

  private func add(_ number: LuaValue) {
    if case .integer(let value) = number {
      digest.update("integer")
      digest.update(UInt64(bitPattern: Int64(value)))
    } else if case .number(let value) = number {
      digest.update("number")
      digest.update(value.bitPattern)
    }
  }

  private func add(bytes: UnsafeBufferPointer<UInt8>) {
    digest.update(UInt64(bytes.count))
    digest.update(bytes: UnsafeRawBufferPointer(bytes))
  }

  /// Names what is known, counts what was seen, and walks the rest.
  private mutating func visit(_ index: Int32, _ walk: (inout Self) throws -> Void) throws {
    guard let pointer = lua_topointer(state, index) else { return }
    if let name = known[pointer] {
      digest.update("known")
      digest.update(name)
    } else if let number = seen[pointer] {
      digest.update("seen")
      digest.update(UInt64(number))
    } else {
      seen[pointer] = seen.count
      try walk(&self)
    }
  }

  // MARK: - Tables

  private mutating func addTable(_ index: Int32, path: String) throws {
    if shim_push_behind(state, index) {
      defer { shim_pop(state, 1) }
      return try add(lua_gettop(state), path: path)
    }
    digest.update("table")
    let pairs = LuaStack.pairs(state, index)
    digest.update(UInt64(pairs.count))
    for (key, _) in pairs { try addField(index, key, path) }
    guard lua_getmetatable(state, index) != 0 else { return }
    defer { shim_pop(state, 1) }
    digest.update("metatable")
    try add(lua_gettop(state), path: path + " (metatable)")
  }

  private mutating func addField(_ table: Int32, _ key: LuaValue, _ path: String) throws {
    let top = lua_gettop(state)
    defer { lua_settop(state, top) }
    try LuaStack.push(key, state)
    switch key {
    case .table, .function, .coroutine, .userdata: throw undigestible(top + 1, "\(path), a key")
    default: try add(top + 1, path: path)
    }
    lua_pushvalue(state, top + 1)
    lua_rawget(state, table)
    let name = key.string.map { ".\($0)" } ?? key.integer.map { "[\($0)]" } ?? "[\(key)]"
    try add(top + 2, path: path + name)
  }

  // MARK: - Functions

  private mutating func addFunction(_ index: Int32, path: String) throws {
    if let host = shim_to_function(state, index) {
      let box = Unmanaged<FunctionBox>.fromOpaque(host).takeUnretainedValue()
      guard let key = box.key else { throw undigestible(index, path) }
      digest.update("host function")
      digest.update(key)
      return
    }
    let isChecked = shim_is_checked(state, index)
    guard isChecked || lua_iscfunction(state, index) == 0 else { throw undigestible(index, path) }
    let outer = function
    defer { function = outer }
    if isChecked {
      digest.update("checked function")
    } else {
      function = place(of: index)
      let code = Bytecode.withoutLines(dump(index))
      digest.update("function")
      code.withUnsafeBufferPointer { add(bytes: $0) }
    }
    try addCaptured(by: index, path: path)
  }

  /// What a function captures. The captured values of a checked function have no names.
  private mutating func addCaptured(by index: Int32, path: String) throws {
    var position: Int32 = 1
    while let name = lua_getupvalue(state, index, position).map({ String(cString: $0) }) {
      defer { shim_pop(state, 1) }
      position += 1
      if leftOut.contains(name) { continue }
      try add(lua_gettop(state), path: name.isEmpty ? path : name)
    }
  }

  private func dump(_ index: Int32) -> [UInt8] {
    lua_pushvalue(state, index)
    defer { shim_pop(state, 1) }
    var code: [UInt8] = []
    withUnsafeMutablePointer(to: &code) { code in
      _ = shim_dump(
        state,
        { _, bytes, count, code in
          let code = code!.assumingMemoryBound(to: [UInt8].self)
          code.pointee.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: count))
          return 0
        }, code)
    }
    return code
  }

  private func place(of index: Int32) -> String {
    var frame = lua_Debug()
    lua_pushvalue(state, index)
    lua_getinfo(state, ">S", &frame)
    return frame.source.map { "\(String(cString: $0).dropFirst()):\(frame.linedefined)" } ?? ""
  }

  private func undigestible(_ index: Int32, _ path: String) -> Fault {
    let isC = lua_type(state, index) == LUA_TFUNCTION
    return Fault(
      .recipe, "the function at \(function) captures a value that has no digest", path: path,
      expected: "numbers, texts, tables and functions",
      got: isC ? "an iterator or a wrapped coroutine" : LuaStack.value(state, index).description,
      hint: "Create it inside the function, or name the variable in 'depends'.")
  }
}
