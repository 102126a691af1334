import CLua
import CLuaShims
import Diagnostics

/// A Swift object that scripts hold as a userdata.
///
/// The same object is the same userdata as long as a script holds it, so `==` and table keys work. Its class is
/// declared with `LuaHost.declare`.
public protocol LuaObject: AnyObject {
  /// The name of the type in scripts and error texts, `nas.architecture`.
  static var luaName: String { get }
  /// The native memory of the object in bytes: counted toward the memory limit, and a reason to collect garbage.
  var nativeBytes: Int { get }
  /// The text by which `pairs` orders objects that are table keys; nil when they have no such order.
  var orderKey: String? { get }
  /// Releases what is native before the garbage collector would, at the end of a `<close>` variable.
  func close()
}

extension LuaObject {
  public var nativeBytes: Int { 0 }
  public var orderKey: String? { nil }
  public func close() {}
}

/// The metamethods a userdata type may have. `__gc`, `__close` and `__metatable` are the host's.
public enum LuaMetamethod: String, Sendable {
  /// Called for a name that is no method.
  case index = "__index"
  case newIndex = "__newindex"
  case equal = "__eq"
  case less = "__lt"
  case lessOrEqual = "__le"
  case text = "__tostring"
  case length = "__len"
  case call = "__call"
  case concatenate = "__concat"
  case pairs = "__pairs"
  case add = "__add"
  case subtract = "__sub"
  case multiply = "__mul"
  case divide = "__div"
  case negate = "__unm"
  case power = "__pow"
}

extension LuaHost {
  /// Declares a class to the VM: its methods and metamethods.
  public func declare<T: LuaObject>(
    _ type: T.Type, methods: [String: LuaFunction] = [:], metamethods: [LuaMetamethod: LuaFunction] = [:]
  ) throws {
    let name = type.luaName
    let state = self.state
    try LuaStack.reserve(state, 10)
    lua_createtable(state, 0, 12)
    set("__name", name)
    shim_seal_metatable(state)
    for (metamethod, body) in metamethods where metamethod != .index {
      setFunction(metamethod.rawValue, name: "\(name).\(metamethod.rawValue)", body)
    }
    lua_createtable(state, 0, Int32(methods.count))
    for (method, body) in methods { setFunction(method, name: "\(name):\(method)", body) }
    if let index = metamethods[.index] {
      pushFunction(name, key: name, index)
      shim_push_index(state)
    }
    LuaStack.push("__index", state)
    shim_insert(state, -2)
    lua_rawset(state, -3)
    lua_rawsetp(state, shim_registry, unsafeBitCast(ObjectIdentifier(type), to: UnsafeRawPointer.self))
  }

  /// Counts native memory that no single userdata stands for, such as what several share: of each change, negative when
  /// some was released.
  public func countBytes(_ change: Int) {
    guard !isClosed else { return }
    if change > 0 { vm.pointee.external_debt += change }
    vm.pointee.external += change
    if vm.pointee.used + vm.pointee.external > vm.pointee.limit { vm.pointee.over = 1 }
  }

  /// Tells the VM that the native memory of an object that a script holds changed.
  public func updateBytes(of object: any LuaObject) throws {
    let state = self.state
    try LuaStack.push(object, state)
    defer { shim_pop(state, 1) }
    if let block = shim_to_object(state, -1) { shim_count_bytes(state, block, object.nativeBytes) }
  }

  func pushFunction(_ name: String, key: String?, _ body: @escaping LuaFunction) {
    let box = FunctionBox(name, key: key, body)
    shim_push_function(state, Unmanaged.passRetained(box).toOpaque())
  }

  /// Sets a field of the table on top.
  private func set(_ key: String, _ value: String) {
    LuaStack.push(key, state)
    LuaStack.push(value, state)
    lua_rawset(state, -3)
  }

  private func setFunction(_ key: String, name: String, _ body: @escaping LuaFunction) {
    LuaStack.push(key, state)
    pushFunction(name, key: name, body)
    lua_rawset(state, -3)
  }

  static func typeName(of object: any LuaObject) -> String { type(of: object).luaName }
}
