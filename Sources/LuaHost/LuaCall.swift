import CLua
import CLuaShims
import Canonical
import Diagnostics

/// The body of a host function: reads arguments from the call and pushes results onto it, in order.
///
/// What it throws becomes a Lua error: a `Fault` with the recipe's line, a `LuaSignal` that no `pcall` stops.
public typealias LuaFunction = (borrowing LuaCall) throws -> Void

/// A host function with its name, kept alive by the VM.
final class FunctionBox {
  let name: String
  /// What it counts as in digests: the name unless told; nil for an iterator, whose calls change what it gives next.
  let key: String?
  let body: LuaFunction

  init(_ name: String, key: String?, _ body: @escaping LuaFunction) {
    self.name = name
    self.key = key
    self.body = body
  }
}

/// One call of a host function by a script. Arguments count from 1; for a method, 1 is the object.
///
/// Reading is raw: no conversion between numbers and texts, no metamethods, nil for another type. Reading and pushing
/// numbers, booleans and objects allocates nothing.
public struct LuaCall: ~Copyable {
  let state: OpaquePointer
  private let box: Unmanaged<FunctionBox>
  /// The number of arguments.
  public let count: Int

  init(_ state: OpaquePointer, _ box: Unmanaged<FunctionBox>) {
    self.state = state
    self.box = box
    count = Int(lua_gettop(state))
  }

  /// The name under which the function was registered.
  public var name: String { box._withUnsafeGuaranteedRef { $0.name } }
  /// The VM.
  public var host: LuaHost { LuaHost.of(state) }
  /// How many results were pushed.
  public var results: Int { Int(lua_gettop(state)) - count }
}

// MARK: - Reading

extension LuaCall {
  private func type(_ index: Int) -> Int32 { index <= count ? lua_type(state, Int32(index)) : LUA_TNONE }

  /// True for nil and for an argument that wasn't given.
  public func isNil(_ index: Int) -> Bool { type(index) <= LUA_TNIL }
  public func isTable(_ index: Int) -> Bool { type(index) == LUA_TTABLE }
  public func isFunction(_ index: Int) -> Bool { type(index) == LUA_TFUNCTION }
  public func isObject(_ index: Int) -> Bool { type(index) == LUA_TUSERDATA }

  /// The argument as a value; nil when it wasn't given.
  public func value(_ index: Int) -> LuaValue { index <= count ? LuaStack.value(state, Int32(index)) : .nil }

  /// All arguments from `index` on.
  public func values(from index: Int = 1) -> [LuaValue] { index <= count ? (index...count).map { value($0) } : [] }

  public func bool(_ index: Int) -> Bool? {
    type(index) == LUA_TBOOLEAN ? lua_toboolean(state, Int32(index)) != 0 : nil
  }

  /// The integer, also of a float with an integral value.
  public func integer(_ index: Int) -> Int? {
    guard type(index) == LUA_TNUMBER else { return nil }
    var exact: Int32 = 0
    let value = lua_tointegerx(state, Int32(index), &exact)
    return exact != 0 ? Int(value) : nil
  }

  public func number(_ index: Int) -> Double? {
    type(index) == LUA_TNUMBER ? lua_tonumberx(state, Int32(index), nil) : nil
  }

  /// The text; nil for anything else, also for bytes that aren't UTF-8.
  public func string(_ index: Int) -> String? { type(index) == LUA_TSTRING ? value(index).string : nil }

  /// The bytes of a text.
  public func bytes(_ index: Int) -> [UInt8]? {
    type(index) == LUA_TSTRING ? Array(LuaStack.bytes(state, Int32(index))) : nil
  }

  public func table(_ index: Int) -> LuaReference? { isTable(index) ? LuaStack.reference(state, Int32(index)) : nil }
  public func function(_ index: Int) -> LuaReference? {
    isFunction(index) ? LuaStack.reference(state, Int32(index)) : nil
  }

  /// The pairs of a table argument: numbers ascending, then texts.
  public func pairs(_ index: Int) -> [(key: LuaValue, value: LuaValue)] { LuaStack.pairs(state, Int32(index)) }

  /// The argument as JSON; see `LuaReference.json`. `path` names it in errors.
  public func json(_ index: Int, depth: Int = 32, path: String = "") throws -> JSONValue {
    guard index <= count else { return .null }
    return try LuaStack.json(state, Int32(index), depth: depth, path: path)
  }

  /// The Swift object of a userdata argument, nil when it is anything else. Throws when the object was closed.
  public func object<T: LuaObject>(_ index: Int, as type: T.Type = T.self) throws -> T? {
    guard index <= count, let block = shim_to_object(state, Int32(index)) else { return nil }
    let exact = block.pointee.type == unsafeBitCast(ObjectIdentifier(type), to: UnsafeRawPointer.self)
    guard let object = block.pointee.object else {
      if exact { throw Fault(.recipe, "argument \(index) of '\(name)' is a \(type.luaName) that was closed") }
      return nil
    }
    if exact { return Unmanaged<T>.fromOpaque(object).takeUnretainedValue() }
    return Unmanaged<AnyObject>.fromOpaque(object).takeUnretainedValue() as? T
  }

  /// The Swift objects that a table lists; nil for anything else, for one without elements, and for one with others.
  public func objects<T: LuaObject>(inList index: Int, as type: T.Type = T.self) -> [T]? {
    guard isTable(index), lua_checkstack(state, 2) != 0 else { return nil }
    let count = lua_rawlen(state, Int32(index))
    var objects: [T] = []
    objects.reserveCapacity(Int(count))
    for position in 0..<count {
      lua_rawgeti(state, Int32(index), lua_Integer(position + 1))
      let block = shim_to_object(state, -1)
      shim_pop(state, 1)
      guard let object = block?.pointee.object,
        block?.pointee.type == unsafeBitCast(ObjectIdentifier(type), to: UnsafeRawPointer.self)
      else { return nil }
      objects.append(Unmanaged<T>.fromOpaque(object).takeUnretainedValue())
    }
    return objects.isEmpty ? nil : objects
  }

  /// The object of a method call. Throws when argument 1 isn't one.
  public func this<T: LuaObject>(_ type: T.Type = T.self) throws -> T {
    if let object = try object(1, as: type) { return object }
    throw wrong(1, expected: withArticle(type.luaName), hint: "Call it as object:\(method)(…).")
  }

  private var method: Substring { name.split(whereSeparator: { $0 == "." || $0 == ":" }).last ?? "" }

  /// The fault of a wrong argument: where it stands and what it is.
  public func wrong(_ index: Int, expected: String, hint: String? = nil) -> Fault {
    let got = index <= count ? value(index).description : "nothing"
    return Fault(.recipe, "wrong argument \(index) of '\(name)'", expected: expected, got: got, hint: hint)
  }
}

// MARK: - Results

extension LuaCall {
  public func push(_ value: Bool) { lua_pushboolean(state, value ? 1 : 0) }
  public func push(_ value: Int) { lua_pushinteger(state, lua_Integer(value)) }
  public func push(_ value: Double) { lua_pushnumber(state, value) }
  public func push(_ value: String) { LuaStack.push(value, state) }
  public func pushNil() { lua_pushnil(state) }
  /// Pushes the userdata of an object: the same one as long as it is alive.
  public func push(_ object: any LuaObject) throws { try LuaStack.push(object, state) }
  public func push(_ json: JSONValue) throws { try LuaStack.push(json, state) }

  public func push(_ value: LuaValue) throws {
    try LuaStack.reserve(state, 2)
    try LuaStack.push(value, state)
  }

  public func push(_ values: [LuaValue]) throws {
    try LuaStack.reserve(state, values.count + 2)
    for value in values { try LuaStack.push(value, state) }
  }

  /// Pushes an argument as a result.
  public func pushArgument(_ index: Int) {
    if index <= count { lua_pushvalue(state, Int32(index)) } else { lua_pushnil(state) }
  }
}
