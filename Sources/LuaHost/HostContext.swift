import CLua
import CLuaShims
import Diagnostics

/// What C holds of a host: the host itself without a retain, and what other threads need.
final class HostContext {
  /// Set as soon as the VM exists; C code calls nothing that asks for it before.
  unowned(unsafe) var host: LuaHost!
  /// `LuaHost.beforeCall`: here, where a call finds it without a reference to the host, whose count is a slow one.
  var beforeCall: LuaFunction?
  let output: (String) -> Void
  let random: () -> UInt64
  let seconds: Double
  let unresponsive: @Sendable (Fault) -> Void

  init(_ options: LuaOptions) {
    output = options.output
    random = options.random
    seconds = options.secondsBetweenCalls
    unresponsive = options.onUnresponsive
  }

  static func of(_ pointer: UnsafeMutableRawPointer?) -> HostContext {
    Unmanaged<HostContext>.fromOpaque(pointer!).takeUnretainedValue()
  }
}

extension LuaHost {
  /// The functions through which C calls Swift.
  static let callbacks = shim_host(
    call: { state, function in
      let box = Unmanaged<FunctionBox>.fromOpaque(function!)
      let call = LuaCall(state!, box)
      do {
        if let before = HostContext.of(shim_vm_of(state!).pointee.host_object).beforeCall { try before(call) }
        try box._withUnsafeGuaranteedRef { try $0.body(call) }
        return Int32(call.results)
      } catch {
        LuaHost.of(state!).pushError(error, state!)
        return SHIM_RAISE
      }
    },
    release: { object in Unmanaged<AnyObject>.fromOpaque(object!).release() },
    close: { object in
      (Unmanaged<AnyObject>.fromOpaque(object!).takeUnretainedValue() as? any LuaObject)?.close()
    },
    raised: { state in LuaHost.of(state!).raised(state!) },
    trip: { state, reason in
      let host = LuaHost.of(state!)
      let fault = tripFault(reason, at: recipePlace(state!), seconds: host.options.secondsBetweenCalls)
      host.push(fault, for: fault, state!)
    },
    fault: { state, message, expected, got, hint in
      let text = { (text: UnsafePointer<CChar>?) in text.map { String(cString: $0) } }
      let fault = Fault(
        .recipe, text(message) ?? "", at: recipePlace(state!), expected: text(expected), got: text(got),
        hint: text(hint))
      LuaHost.of(state!).push(fault, for: fault, state!)
    },
    matches: { signal, token in
      let signal = Unmanaged<SignalBox>.fromOpaque(signal!).takeUnretainedValue().signal
      return Unmanaged<AnyObject>.fromOpaque(token!).takeUnretainedValue() === signal.token
    },
    reason: { state, signal in
      LuaStack.push(Unmanaged<SignalBox>.fromOpaque(signal!).takeUnretainedValue().signal.reason, state!)
    },
    order: { state, object in
      let object = Unmanaged<AnyObject>.fromOpaque(object!).takeUnretainedValue() as? any LuaObject
      if let key = object?.orderKey { LuaStack.push(key, state!) } else { lua_pushnil(state) }
    },
    print: { context, text, length in
      let bytes = UnsafeRawBufferPointer(start: text, count: length)
      HostContext.of(context).output(String(decoding: bytes, as: UTF8.self))
    },
    random: { context in HostContext.of(context).random() },
    unresponsive: { context, reason, place in
      let place = String(cString: place!)
      let context = HostContext.of(context)
      context.unresponsive(tripFault(reason, at: place.isEmpty ? nil : place, seconds: context.seconds))
    })

  /// The fault of a script that a limit or a cancellation ends.
  static func tripFault(_ reason: Int32, at place: String?, seconds: Double) -> Fault {
    if reason == SHIM_TRIP_CANCELLED { return Fault(.interrupted, "interrupted", at: place) }
    if let limit = LuaHost.WorkLimit.Reached(reason) {
      return Fault(.limit, "the limit of \(limit.rawValue) is reached, and the script can't be stopped", at: place)
    }
    return Fault(
      .limit, "the script ran for \(seconds) s without calling an API function", at: place,
      hint: "Does a loop never end?")
  }
}
