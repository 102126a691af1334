import CLua
import CLuaShims
import Diagnostics

/// The userdata `nasrun.error`: an error that Swift threw, or that C code found, as scripts hold it.
public final class LuaErrorObject: LuaObject {
  public static let luaName = "nasrun.error"
  /// What Swift threw.
  public let error: any Error
  /// The fault whose fields scripts read.
  public let fault: Fault
  /// The calls that led to it.
  public let traceback: LuaTraceback

  init(_ error: any Error, fault: Fault, traceback: LuaTraceback) {
    self.error = error
    self.fault = fault
    self.traceback = traceback
  }
}

/// The Lua error that last reached Swift, so that Swift can throw it on without changing it.
struct CaughtError {
  var fault: Fault
  var traceback: LuaTraceback
}

// MARK: - Swift to Lua

extension LuaHost {
  /// Pushes the Lua value of a Swift error.
  func pushError(_ error: any Error, _ state: OpaquePointer) {
    if let signal = error as? LuaSignal {
      let box = Unmanaged.passRetained(SignalBox(signal)).toOpaque()
      _ = shim_push_object(state, box, shim_signal_key(), 0, false)
    } else if let caught, let fault = error as? Fault, fault == caught.fault {
      lua_rawgetp(state, shim_registry, shim_caught_key())
      keep(traceback: caught.traceback, state)
    } else {
      let fault = error as? Fault ?? Fault(.internal, String(describing: error))
      push(fault.located(at: recipePlace(state)), for: error, state)
    }
  }

  /// A fault with changed fields that keeps the traceback of `fault`, when that is the error that last reached Swift.
  public func amend(_ fault: Fault, _ change: (inout Fault) -> Void) -> Fault {
    var copy = fault
    change(&copy)
    if let caught, caught.fault == fault { amended = CaughtError(fault: copy, traceback: caught.traceback) }
    return copy
  }

  /// Pushes a new error userdata.
  func push(_ fault: Fault, for error: any Error, _ state: OpaquePointer) {
    let kept = amended?.fault == fault ? amended?.traceback : nil
    let box = LuaErrorObject(error, fault: fault, traceback: kept ?? LuaTraceback(state))
    _ = shim_push_object(state, Unmanaged.passRetained(box).toOpaque(), shim_error_key(), 0, true)
  }

  /// An error is about to unwind `state`; its value is on top.
  func raised(_ state: OpaquePointer) {
    if let block = shim_to_object(state, -1), [shim_error_key(), shim_signal_key()].contains(block.pointee.type) {
      return
    }
    if vm.pointee.remembered != 0 {
      lua_rawgetp(state, shim_registry, shim_traced_key())
      defer { shim_pop(state, 1) }
      if lua_rawequal(state, -1, -2) != 0 { return }
    }
    keep(traceback: LuaTraceback(state), state)
    tracedPlace = recipePlace(state)
    tracedMissing = missing?.calls == vm.pointee.calls ? missing?.text : nil
  }

  /// Notes a sentence about something that the script looked for and that isn't there: the hint of an error about nil that
  /// comes before the next call of the host.
  public func note(missing text: String) { missing = (text, vm.pointee.calls) }

  /// Remembers the traceback of the error value on top.
  private func keep(traceback: LuaTraceback, _ state: OpaquePointer) {
    lua_pushvalue(state, -1)
    lua_rawsetp(state, shim_registry, shim_traced_key())
    traced = traceback
    tracedPlace = caught?.fault.at
    vm.pointee.remembered = 1
  }
}

// MARK: - Lua to Swift

extension LuaHost {
  /// Pops the error value on top and returns what Swift throws for it.
  func popError(_ state: OpaquePointer, status: Int32) -> any Error {
    defer { shim_pop(state, 1) }
    if let block = shim_to_object(state, -1), let object = block.pointee.object {
      if block.pointee.type == shim_signal_key() {
        return Unmanaged<SignalBox>.fromOpaque(object).takeUnretainedValue().signal
      }
      if block.pointee.type == shim_error_key() {
        let box = Unmanaged<LuaErrorObject>.fromOpaque(object).takeUnretainedValue()
        remember(box.fault, box.traceback, state)
        return box.error is Fault ? box.fault : box.error
      }
    }
    let traceback = takeTraceback(state)
    let fault = fault(of: state, status: status)
    remember(fault, traceback ?? LuaTraceback(frames: []), state)
    return fault
  }

  private func remember(_ fault: Fault, _ traceback: LuaTraceback, _ state: OpaquePointer) {
    lua_pushvalue(state, -1)
    lua_rawsetp(state, shim_registry, shim_caught_key())
    caught = CaughtError(fault: fault, traceback: traceback)
  }

  private func takeTraceback(_ state: OpaquePointer) -> LuaTraceback? {
    guard vm.pointee.remembered != 0 else {
      tracedPlace = nil
      return nil
    }
    vm.pointee.remembered = 0
    lua_rawgetp(state, shim_registry, shim_traced_key())
    defer { shim_pop(state, 1) }
    if lua_rawequal(state, -1, -2) != 0 { return traced }
    tracedPlace = nil
    return nil
  }

  private func fault(of state: OpaquePointer, status: Int32) -> Fault {
    if status == LUA_ERRMEM {
      let place = withUnsafeBytes(of: vm.pointee.memory_place) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      return Fault(
        .limit, "not enough memory", at: place.isEmpty ? nil : place,
        expected: "at most \(options.memoryLimit.bytesText)",
        hint: "Keep less in tables, texts and tensors, or raise the limit: nasrun --memory GB.")
    }
    return switch LuaStack.value(state, -1) {
    case .string(let text): fault(text: text)
    case .bytes(let bytes): fault(text: String(decoding: bytes, as: UTF8.self))
    case .table(let table): fault(table: table)
    case let other:
      Fault(
        .recipe, "an error without a text", at: tracedPlace, expected: "error(\"what went wrong\")",
        got: "error(\(other))"
      )
    }
  }

  /// `recipe.lua:3: text` as a fault at that line; a line of the library becomes the cause, and the recipe's line the
  /// place.
  private func fault(text: String) -> Fault {
    guard let (place, message) = Self.split(text) else {
      return Fault(.recipe, text, at: tracedPlace, hint: LuaErrorHints.hint(for: text, missing: tracedMissing))
    }
    if isLibrary(place) { return Fault(.recipe, message, at: tracedPlace, cause: "raised in \(place)") }
    return Fault(.recipe, message, at: place, hint: LuaErrorHints.hint(for: message, missing: tracedMissing))
  }

  private func fault(table: LuaReference) -> Fault {
    guard let message = table["message"].string else {
      return Fault(
        .recipe, "an error without a text", at: tracedPlace, expected: "a text, or a table with the field 'message'",
        got: "a table without it")
    }
    let code = table["code"].string.flatMap { Fault.Code(rawValue: $0) } ?? .recipe
    return Fault(
      code, message, at: table["at"].string ?? tracedPlace, path: table["path"].string,
      expected: table["expected"].string, got: table["got"].string, hint: table["hint"].string,
      cause: table["cause"].string)
  }

  /// `name:12: text` as `name:12` and `text`.
  static func split(_ text: String) -> (place: String, message: String)? {
    guard let match = text.prefixMatch(of: #/([^:\n]+:\d+): /#) else { return nil }
    return (String(match.1), String(text[match.range.upperBound...]))
  }

  /// True for a place in a chunk of the library, which recipes aren't blamed for.
  private func isLibrary(_ place: String) -> Bool {
    place.lastIndex(of: ":").map { libraryChunks.contains(String(place[..<$0])) } ?? false
  }
}

extension Int {
  /// A size for people: `16 MB`, of 2^20 bytes.
  var bytesText: String {
    self >= 1 << 20 ? "\(self >> 20) MB" : self >= 1 << 10 ? "\(self >> 10) KB" : "\(self) bytes"
  }
}
