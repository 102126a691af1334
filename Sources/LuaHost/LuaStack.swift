import CLua
import CLuaShims
import Canonical
import Diagnostics

/// Values to and from the stack of a running coroutine, by raw access only: nothing here can raise.
enum LuaStack {
  static func reserve(_ state: OpaquePointer, _ slots: Int) throws {
    guard lua_checkstack(state, Int32(slots)) != 0 else { throw Fault(.limit, "the Lua stack is full") }
  }

  static func isTable(_ state: OpaquePointer, _ index: Int32) -> Bool { lua_type(state, index) == LUA_TTABLE }

  // MARK: - Reading

  static func value(_ state: OpaquePointer, _ index: Int32) -> LuaValue {
    switch lua_type(state, index) {
    case LUA_TBOOLEAN: .bool(lua_toboolean(state, index) != 0)
    case LUA_TNUMBER: number(state, index)
    case LUA_TSTRING: text(state, index)
    case LUA_TTABLE: .table(reference(state, index))
    case LUA_TFUNCTION: .function(reference(state, index))
    case LUA_TTHREAD: .coroutine(reference(state, index))
    case LUA_TUSERDATA: object(state, index).map { .userdata($0) } ?? .other(reference(state, index))
    default: .nil
    }
  }

  static func number(_ state: OpaquePointer, _ index: Int32) -> LuaValue {
    lua_isinteger(state, index) != 0
      ? .integer(Int(lua_tointegerx(state, index, nil))) : .number(lua_tonumberx(state, index, nil))
  }

  /// The bytes of a string; valid while it is on the stack. The value must be a string.
  static func bytes(_ state: OpaquePointer, _ index: Int32) -> UnsafeBufferPointer<UInt8> {
    var length = 0
    let start = lua_tolstring(state, index, &length)
    return UnsafeBufferPointer(start: UnsafeRawPointer(start)?.assumingMemoryBound(to: UInt8.self), count: length)
  }

  static func text(_ state: OpaquePointer, _ index: Int32) -> LuaValue {
    let bytes = bytes(state, index)
    return String(validating: bytes, as: UTF8.self).map { .string($0) } ?? .bytes(Array(bytes))
  }

  /// The string with invalid bytes replaced, or nil for anything else.
  static func lossyText(_ state: OpaquePointer, _ index: Int32) -> String? {
    lua_type(state, index) == LUA_TSTRING ? String(decoding: bytes(state, index), as: UTF8.self) : nil
  }

  static func reference(_ state: OpaquePointer, _ index: Int32) -> LuaReference {
    lua_pushvalue(state, index)
    return LuaReference(popping: state, host: LuaHost.of(state))
  }

  static func object(_ state: OpaquePointer, _ index: Int32) -> (any LuaObject)? {
    guard let block = shim_to_object(state, index), let object = block.pointee.object else { return nil }
    return Unmanaged<AnyObject>.fromOpaque(object).takeUnretainedValue() as? any LuaObject
  }

  // MARK: - Writing

  static func push(_ value: LuaValue, _ state: OpaquePointer) throws {
    switch value {
    case .nil: lua_pushnil(state)
    case .bool(let value): lua_pushboolean(state, value ? 1 : 0)
    case .integer(let value): lua_pushinteger(state, lua_Integer(value))
    case .number(let value): lua_pushnumber(state, value)
    case .string(let value): push(value, state)
    case .bytes(let value): push(value, state)
    case .table(let value), .function(let value), .coroutine(let value), .other(let value):
      guard value.slots === LuaHost.of(state).slots else { throw Fault(.internal, "a value of another Lua VM") }
      lua_rawgeti(state, shim_registry, lua_Integer(value.slot))
    case .userdata(let value): try push(value, state)
    }
  }

  static func push(_ text: String, _ state: OpaquePointer) {
    var text = text
    text.withUTF8 { bytes in
      bytes.withMemoryRebound(to: CChar.self) { _ = lua_pushlstring(state, $0.baseAddress, $0.count) }
    }
  }

  static func push(_ bytes: [UInt8], _ state: OpaquePointer) {
    bytes.withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { _ = lua_pushlstring(state, $0.baseAddress, $0.count) }
    }
  }

  static func push(_ object: any LuaObject, _ state: OpaquePointer) throws {
    let type: any LuaObject.Type = Swift.type(of: object)
    let isError = type == LuaErrorObject.self
    let key = isError ? shim_error_key() : unsafeBitCast(ObjectIdentifier(type), to: UnsafeRawPointer.self)
    let retained = Unmanaged.passRetained(object as AnyObject).toOpaque()
    guard shim_push_object(state, retained, key, object.nativeBytes, true) else {
      throw Fault(.internal, "the class \(type) is not declared to the Lua VM")
    }
  }
}

// MARK: - Tables

extension LuaStack {
  /// The pairs of the table at the absolute `index`: numbers ascending, then texts, then the rest.
  static func pairs(_ state: OpaquePointer, _ index: Int32) -> [(key: LuaValue, value: LuaValue)] {
    guard isTable(state, index), lua_checkstack(state, 6) != 0 else { return [] }
    let top = lua_gettop(state)
    defer { lua_settop(state, top) }
    let index = shim_push_behind(state, index) ? top + 1 : index
    var result: [(key: LuaValue, value: LuaValue)] = []
    lua_pushnil(state)
    while lua_next(state, index) != 0 {
      result.append((value(state, -2), value(state, -1)))
      shim_pop(state, 1)
    }
    return result.sorted { isBefore($0.key, $1.key) }
  }

  private static func isBefore(_ a: LuaValue, _ b: LuaValue) -> Bool {
    switch (a, b) {
    case (.integer(let a), .integer(let b)): a < b
    case (.string(let a), .string(let b)): a.utf8.lexicographicallyPrecedes(b.utf8)
    default:
      if let a = a.number, let b = b.number { a < b } else { rank(a) < rank(b) }
    }
  }

  private static func rank(_ key: LuaValue) -> Int {
    switch key {
    case .integer, .number: 0
    case .string: 1
    case .bytes: 2
    case .bool(false): 3
    case .bool(true): 4
    default: 5
    }
  }

  // MARK: - JSON

  static func json(_ state: OpaquePointer, _ index: Int32, depth: Int, path: String) throws -> JSONValue {
    switch value(state, index) {
    case .nil: return .null
    case .bool(let value): return .bool(value)
    case .integer(let value): return .int(value)
    case .number(let value): return .number(value)
    case .string(let value): return .string(value)
    case .table: break
    case let other:
      throw Fault(
        .recipe, "a value that can't be stored", path: path.isEmpty ? nil : path,
        expected: "nil, a boolean, a number, a text or a table of these", got: other.description)
    }
    guard depth > 0 else {
      throw Fault(
        .recipe, "a table that is nested too deeply", path: path.isEmpty ? nil : path,
        hint: "Does it contain itself?")
    }
    try reserve(state, 6)
    return try json(table: state, index, depth: depth - 1, path: path)
  }

  private static func json(table state: OpaquePointer, _ index: Int32, depth: Int, path: String) throws -> JSONValue {
    let start = lua_gettop(state)
    defer { lua_settop(state, start) }
    let index = shim_push_behind(state, index) ? start + 1 : index
    let top = lua_gettop(state)
    var items: [Int: JSONValue] = [:]
    var fields: [String: JSONValue] = [:]
    lua_pushnil(state)
    while lua_next(state, index) != 0 {
      let key = value(state, top + 1)
      switch key {
      case .integer(let position):
        items[position] = try json(state, top + 2, depth: depth, path: "\(path)[\(position)]")
      case .string(let name):
        fields[name] = try json(state, top + 2, depth: depth, path: path.isEmpty ? name : "\(path).\(name)")
      default:
        throw Fault(
          .recipe, "a table key that can't be stored", path: path.isEmpty ? nil : path, expected: "texts, or 1…n",
          got: key.description)
      }
      lua_settop(state, top + 1)
    }
    if items.isEmpty { return .object(fields) }
    let array = (1...items.count).compactMap { items[$0] }
    guard fields.isEmpty, array.count == items.count else {
      throw Fault(
        .recipe, "a table that is neither a list nor a record", path: path.isEmpty ? nil : path,
        expected: "keys 1…n without gaps, or texts only")
    }
    return .array(array)
  }

  static func push(_ json: JSONValue, _ state: OpaquePointer) throws {
    try reserve(state, 4)
    switch json {
    case .null: lua_pushnil(state)
    case .bool(let value): lua_pushboolean(state, value ? 1 : 0)
    case .int(let value): lua_pushinteger(state, lua_Integer(value))
    case .number(let value): lua_pushnumber(state, value)
    case .string(let value): push(value, state)
    case .array(let values):
      lua_createtable(state, Int32(clamping: values.count), 0)
      for (index, value) in values.enumerated() {
        try push(value, state)
        lua_rawseti(state, -2, lua_Integer(index + 1))
      }
    case .object(let fields):
      lua_createtable(state, 0, Int32(clamping: fields.count))
      for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
        push(name, state)
        try push(value, state)
        lua_rawset(state, -3)
      }
    }
  }
}
