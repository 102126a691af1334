import CLua
import CLuaShims
import Canonical
import Diagnostics
import Foundation

/// The slots of references whose Swift owners are gone; the VM gives them back when it makes the next reference.
final class ReferenceSlots: @unchecked Sendable {
  private let lock = NSLock()
  private var released: [Int32] = []
  /// The VM, until it closes.
  weak var host: LuaHost?

  func release(_ slot: Int32) { lock.withLock { released.append(slot) } }

  func drain(_ state: OpaquePointer) {
    let slots = lock.withLock {
      defer { released = [] }
      return released
    }
    for slot in slots { luaL_unref(state, shim_registry, slot) }
  }
}

/// A table, function or coroutine that Swift keeps alive in the VM.
///
/// It may outlive its host; a use after that is an `internal` fault or nil. Release is safe on any thread; all else
/// belongs to the thread of the VM.
public final class LuaReference {
  let slots: ReferenceSlots
  let slot: Int32

  /// Takes the value on top of the stack.
  init(popping state: OpaquePointer, host: LuaHost) {
    slots = host.slots
    slots.drain(state)
    slot = luaL_ref(state, shim_registry)
  }

  deinit { slots.release(slot) }

  /// Pushes the value on the running stack and returns it with its host.
  func enter() throws -> (LuaHost, OpaquePointer) {
    guard let host = slots.host else { throw Fault(.internal, "a Lua value was used after its VM was closed") }
    let state = host.state
    try LuaStack.reserve(state, 8)
    lua_rawgeti(state, shim_registry, lua_Integer(slot))
    return (host, state)
  }

  /// Pushes the table: for a read-only view, the one behind it.
  private func enterTable() throws -> OpaquePointer {
    let (_, state) = try enter()
    if shim_push_behind(state, -1) { shim_remove(state, -2) }
    return state
  }

  /// True when both are the same table, function or coroutine.
  public func isSame(as other: LuaReference) -> Bool {
    guard let (_, state) = try? enter() else { return false }
    defer { shim_pop(state, 2) }
    lua_rawgeti(state, shim_registry, lua_Integer(other.slot))
    return lua_rawequal(state, -1, -2) != 0
  }
}

// MARK: - Tables

extension LuaReference {
  /// The value under a name, without metamethods; nil when this is no table.
  public subscript(key: String) -> LuaValue { self[.string(key)] }
  /// The value at a position, counted from 1, without metamethods.
  public subscript(position: Int) -> LuaValue { self[.integer(position)] }

  /// The value under a key, without metamethods; nil when this is no table.
  public subscript(key: LuaValue) -> LuaValue {
    guard let state = try? enterTable() else { return .nil }
    let top = lua_gettop(state)
    defer { lua_settop(state, top - 1) }
    guard LuaStack.isTable(state, top), (try? LuaStack.push(key, state)) != nil else { return .nil }
    lua_rawget(state, top)
    return LuaStack.value(state, -1)
  }

  /// Sets a field without metamethods. Throws for a key that is nil or not a number, or when this is no table.
  public func set(_ key: LuaValue, to value: LuaValue) throws {
    let state = try enterTable()
    let top = lua_gettop(state)
    defer { lua_settop(state, top - 1) }
    guard LuaStack.isTable(state, top) else {
      throw Fault(.internal, "a field of a Lua value that is no table was set")
    }
    if key.isNil || key.number?.isNaN == true { throw Fault(.internal, "a table field can't have the key \(key)") }
    try LuaStack.push(key, state)
    try LuaStack.push(value, state)
    lua_rawset(state, top)
  }

  /// The border `#t`, without metamethods.
  public var count: Int {
    guard let state = try? enterTable() else { return 0 }
    defer { shim_pop(state, 1) }
    return Int(lua_rawlen(state, -1))
  }

  /// The elements 1…#t.
  public var array: [LuaValue] {
    guard let state = try? enterTable() else { return [] }
    defer { shim_pop(state, 1) }
    return (0..<Int(lua_rawlen(state, -1))).map { index in
      lua_rawgeti(state, -1, lua_Integer(index + 1))
      defer { shim_pop(state, 1) }
      return LuaStack.value(state, -1)
    }
  }

  /// All pairs: numbers ascending, then texts, then the rest in no order.
  public var pairs: [(key: LuaValue, value: LuaValue)] {
    guard let state = try? enterTable() else { return [] }
    defer { shim_pop(state, 1) }
    return LuaStack.pairs(state, lua_gettop(state))
  }

  /// The name of the class that a table is an object of: `__name` of its metatable. Nil for a plain table.
  public var className: String? {
    guard let (_, state) = try? enter() else { return nil }
    let top = lua_gettop(state)
    defer { lua_settop(state, top - 1) }
    guard LuaStack.isTable(state, top), lua_getmetatable(state, top) != 0 else { return nil }
    LuaStack.push("__name", state)
    lua_rawget(state, -2)
    return LuaStack.value(state, -1).string
  }

  /// The table as JSON: an array when its keys are 1…n, an object when they are all texts.
  ///
  /// Throws a `recipe` fault with the path of the first value that JSON can't hold, or that is deeper than `depth`.
  public func json(depth: Int = 32) throws -> JSONValue {
    let state = try enterTable()
    defer { shim_pop(state, 1) }
    return try LuaStack.json(state, lua_gettop(state), depth: depth, path: "")
  }
}

// MARK: - Functions

extension LuaReference {
  /// Calls the function. Throws the `Fault` of a Lua error, the `LuaSignal` or the Swift error that went through it.
  @discardableResult
  public func callAsFunction(_ arguments: [LuaValue] = []) throws -> [LuaValue] {
    let (host, state) = try enter()
    return try host.callPushed(state, arguments)
  }
}
