import CLua
import CLuaShims
import Diagnostics

extension LuaHost {
  /// Makes the metatable of `nasrun.error`: the fields of the fault, `tostring`, and `..` with texts.
  func declareErrors() throws {
    lua_createtable(state, 0, 8)
    shim_seal_metatable(state)
    LuaStack.push("__name", state)
    LuaStack.push(LuaErrorObject.luaName, state)
    lua_rawset(state, -3)
    let metamethods: [(String, LuaFunction)] = [
      ("__index", { call in try call.push(Self.field(call.string(2) ?? "", of: Self.errorBox(call, 1))) }),
      ("__tostring", { call in call.push(Self.errorText(call, 1)) }),
      ("__concat", { call in call.push(Self.errorText(call, 1) + Self.errorText(call, 2)) }),
    ]
    for (name, body) in metamethods {
      LuaStack.push(name, state)
      pushFunction("nasrun.error.\(name)", key: "nasrun.error.\(name)", body)
      lua_rawset(state, -3)
    }
    lua_rawsetp(state, shim_registry, shim_error_key())
  }

  private static func errorBox(_ call: borrowing LuaCall, _ index: Int) -> LuaErrorObject? {
    guard index <= call.count, let block = shim_to_object(call.state, Int32(index)),
      block.pointee.type == shim_error_key(), let object = block.pointee.object
    else { return nil }
    return Unmanaged<LuaErrorObject>.fromOpaque(object).takeUnretainedValue()
  }

  private static func errorText(_ call: borrowing LuaCall, _ index: Int) -> String {
    if let box = errorBox(call, index) { return box.fault.description }
    switch call.value(index) {
    case .string(let text): return text
    case .integer(let value): return "\(value)"
    case .number(let value): return "\(value)"
    case let other: return other.description
    }
  }

  private static func field(_ name: String, of box: LuaErrorObject?) -> LuaValue {
    guard let box else { return .nil }
    let fault = box.fault
    let text: String? =
      switch name {
      case "code": fault.code.rawValue
      case "message": fault.message
      case "at": fault.at
      case "path": fault.path
      case "expected": fault.expected
      case "got": fault.got
      case "hint": fault.hint
      case "cause": fault.cause
      case "traceback": box.traceback.description
      default: nil
      }
    return text.map { .string($0) } ?? .nil
  }
}
