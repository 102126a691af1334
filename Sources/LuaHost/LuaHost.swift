import CLua
import CLuaShims
import Diagnostics
import Foundation

/// One Lua 5.4 VM with its sandbox, limits and modules. It belongs to the thread that made it.
///
/// ```swift
/// let host = try LuaHost(LuaOptions(random: { generator.next() }))
/// let add = host.function("add") { call in
///   guard let a = call.number(1) else { throw call.wrong(1, expected: "a number") }
///   call.push(a + 1)
/// }
/// try host.provide("core", host.table(["add": add]))
/// try host.run("print(require('core').add(2))", chunkName: "recipe.lua")   // prints 3.0
/// ```
public final class LuaHost {
  public let options: LuaOptions
  /// Ends the script from another thread or a signal handler, and tells native loops that they should end.
  public let cancellation: LuaCancellation

  let vm: UnsafeMutablePointer<shim_vm>
  let slots = ReferenceSlots()
  /// The Lua error that last reached Swift.
  var caught: CaughtError?
  /// That error with the fields that Swift changed.
  var amended: CaughtError?
  /// The traceback of the error that unwinds, and its recipe line.
  var traced = LuaTraceback(frames: [])
  var tracedPlace: String?
  /// Names of the chunks of the library.
  var libraryChunks: Set<String> = []
  var loaded: [String: LuaValue] = [:]
  var loading: [String] = []
  /// Called before every host function, with its call, while it isn't nil.
  public var beforeCall: LuaFunction? {
    get { isClosed ? nil : context._withUnsafeGuaranteedRef { $0.beforeCall } }
    set { if !isClosed { context._withUnsafeGuaranteedRef { $0.beforeCall = newValue } } }
  }
  /// What `note(missing:)` was told last, and after how many calls.
  var missing: (text: String, calls: UInt64)?
  /// The same, where the error that unwinds came at once after it.
  var tracedMissing: String?
  /// While false, `require` gives modules of the library only: for work that is known by the digest of a function, which
  /// modules that it requires by itself are not a part of.
  public var allowsRecipeModules = true
  /// The modules that scripts required, in the order of their loading.
  public internal(set) var requiredModules: [LuaModule] = []

  /// Makes a VM. Throws an `internal` fault when there is no memory for it.
  public init(_ options: LuaOptions) throws {
    self.options = options
    let context = Unmanaged.passRetained(HostContext(options))
    self.context = context
    var callbacks = LuaHost.callbacks
    let opened = shim_open(
      &callbacks, context.toOpaque(), options.memoryLimit, options.secondsBetweenCalls, options.secondsOfGrace,
      options.trusted ? 1 : 0)
    guard let opened else {
      context.release()
      throw Fault(.internal, "the Lua VM can't be made")
    }
    vm = opened
    cancellation = LuaCancellation(vm.pointee.stop)
    context._withUnsafeGuaranteedRef { $0.host = self }
    slots.host = self
    try declareErrors()
    try declareSignals()
    declareRequire()
  }

  private let context: Unmanaged<HostContext>
  private(set) var isClosed = false

  deinit { close() }

  /// Closes the VM and frees what its functions and objects hold; for an owner that those refer to. Nothing may be run
  /// in it any more; its Lua values are as nil.
  public func close() {
    guard !isClosed else { return }
    isClosed = true
    slots.host = nil
    shim_close(vm)
    context.release()
  }

  /// The coroutine that runs.
  var state: OpaquePointer { vm.pointee.current }

  static func of(_ state: OpaquePointer) -> LuaHost {
    Unmanaged<HostContext>.fromOpaque(shim_vm_of(state).pointee.host_object)._withUnsafeGuaranteedRef { $0.host }
  }

  /// The traceback of the error that the last throwing call into Lua ended with.
  public var lastTraceback: LuaTraceback { caught?.traceback ?? LuaTraceback(frames: []) }

  /// Memory of the VM in bytes: its own, and the native memory of its userdata.
  public var memoryInUse: (lua: Int, native: Int) { (vm.pointee.used, vm.pointee.external) }

  /// True when native loops should end.
  public var isCancelled: Bool { cancellation.isCancelled }

  /// The innermost line of the recipe that runs, `recipe.lua:12`.
  public var place: String? { recipePlace(state) }

  /// The calls that are running, innermost first.
  public var traceback: LuaTraceback { LuaTraceback(state) }
}

// MARK: - Running

extension LuaHost {
  /// Runs the text of a recipe. `chunkName` is its name in error texts, such as `recipe.lua`.
  ///
  /// Throws a `Fault` with the line for a syntax error, bytecode, text that isn't UTF-8, and any error of the script.
  @discardableResult
  public func run(_ text: some Sequence<UInt8>, chunkName: String) throws -> [LuaValue] {
    let state = self.state
    try LuaStack.reserve(state, 8)
    try load(Array(text), chunkName: chunkName, library: false, state)
    return try callPushed(state, [])
  }

  /// Runs the text of a recipe.
  @discardableResult
  public func run(_ text: String, chunkName: String) throws -> [LuaValue] {
    try run(text.utf8, chunkName: chunkName)
  }

  /// Calls a Lua function. Throws the `Fault` of a Lua error, the `LuaSignal` or the Swift error that went through it.
  @discardableResult
  public func call(_ function: LuaReference, _ arguments: [LuaValue] = []) throws -> [LuaValue] {
    try function(arguments)
  }

  /// Calls the function on top of the stack and pops it.
  func callPushed(_ state: OpaquePointer, _ arguments: [LuaValue]) throws -> [LuaValue] {
    let base = lua_gettop(state) - 1
    do {
      try LuaStack.reserve(state, arguments.count + 8)
      for argument in arguments { try LuaStack.push(argument, state) }
    } catch {
      lua_settop(state, base)
      throw error
    }
    let status = shim_call(state, Int32(arguments.count), LUA_MULTRET)
    guard status == LUA_OK else { throw popError(state, status: status) }
    defer { lua_settop(state, base) }
    let top = lua_gettop(state)
    return top > base ? (base + 1...top).map { LuaStack.value(state, $0) } : []
  }
}

// MARK: - Making values

extension LuaHost {
  /// A Lua function with a Swift body. `name` is for error texts and digests, `nas.data.open`.
  public func function(_ name: String, _ body: @escaping LuaFunction) -> LuaValue {
    function(name, key: name, body)
  }

  /// The same of one that is made anew by each call of another: `key` is what it counts as in digests, nil for an
  /// iterator, which has none.
  public func function(_ name: String, key: String?, _ body: @escaping LuaFunction) -> LuaValue {
    pushFunction(name, key: key, body)
    return .function(LuaReference(popping: state, host: self))
  }

  /// `function` behind a check of its arguments: `check` gets `id` and what the caller gives, and returns what `function`
  /// gets. Errors have the line of the caller, also of one that ends with `return checked(…)`.
  public func checked(_ function: LuaReference, by check: LuaReference, id: Int) throws -> LuaValue {
    let (_, state) = try check.enter()
    lua_pushinteger(state, lua_Integer(id))
    _ = try function.enter()
    shim_push_checked(state)
    return .function(LuaReference(popping: state, host: self))
  }

  /// A new table with these fields.
  public func table(_ fields: [String: LuaValue] = [:]) throws -> LuaValue {
    lua_createtable(state, 0, Int32(clamping: fields.count))
    let table = LuaReference(popping: state, host: self)
    for (name, value) in fields.sorted(by: { $0.key < $1.key }) { try table.set(.string(name), to: value) }
    return .table(table)
  }

  /// A new table with the elements 1…n.
  public func table(_ elements: [LuaValue]) throws -> LuaValue {
    lua_createtable(state, Int32(clamping: elements.count), 0)
    let table = LuaReference(popping: state, host: self)
    for (index, value) in elements.enumerated() { try table.set(.integer(index + 1), to: value) }
    return .table(table)
  }

  /// A view of a table that scripts can't change; `name` is for error texts.
  public func readOnly(_ table: LuaReference, name: String) throws -> LuaValue {
    let (_, state) = try table.enter()
    shim_make_read_only(state, name)
    return .table(LuaReference(popping: state, host: self))
  }

  /// Moves what a table has behind it: scripts then reach it through the functions of its metatable alone, which read it
  /// with `rawget` and `rawlen`; the host sees it as before.
  public func freeze(_ table: LuaReference) throws {
    let (_, state) = try table.enter()
    shim_freeze(state)
    shim_pop(state, 1)
  }

  /// Declares a global of scripts.
  public func setGlobal(_ name: String, to value: LuaValue) throws {
    shim_push_globals(state)
    try LuaReference(popping: state, host: self).set(.string(name), to: value)
  }
}
