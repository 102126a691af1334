import CLua
import CLuaShims
import Diagnostics

/// What a signal is raised and caught by: the end of one search, for example. Identity counts.
public final class LuaSignalToken: LuaObject, Sendable {
  public static let luaName = "signal token"
  /// For error texts: what the token stands for.
  public let name: String
  public init(_ name: String) { self.name = name }
}

/// An unwinding that no script can stop: `pcall`, `xpcall`, coroutines and `__close` handlers let it pass.
///
/// A host function throws it. Only `catch(token, …)` with the same token stops it (see `LuaHost.catchFunction`), or
/// Swift code between two calls.
public struct LuaSignal: Error {
  public let token: LuaSignalToken
  /// Why, for the one who catches it.
  public let reason: String

  public init(_ token: LuaSignalToken, reason: String) {
    self.token = token
    self.reason = reason
  }
}

/// A signal on its way through Lua.
final class SignalBox {
  let signal: LuaSignal
  init(_ signal: LuaSignal) { self.signal = signal }
}

extension LuaHost {
  /// A Lua function `catch(token, f, …)`: calls `f(…)` and returns true and its results, or false and the reason when
  /// the signal of that very token unwinds. Errors and other signals pass.
  public func catchFunction() -> LuaValue {
    shim_push_catch(state)
    return .function(LuaReference(popping: state, host: self))
  }

  /// Calls `body` and returns nil, or the reason of the token's signal when that ends it.
  public func catching(_ token: LuaSignalToken, _ body: () throws -> Void) throws -> String? {
    do {
      try body()
      return nil
    } catch let signal as LuaSignal where signal.token === token {
      return signal.reason
    }
  }

  func declareSignals() throws {
    try declare(LuaSignalToken.self)
    lua_createtable(state, 0, 4)
    shim_seal_metatable(state)
    lua_rawsetp(state, shim_registry, shim_signal_key())
  }
}
