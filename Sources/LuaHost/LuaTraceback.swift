import CLua
import CLuaShims

/// The calls that led to an error, innermost first: scripts and host functions, through `pcall`, coroutines and Swift.
public struct LuaTraceback: Sendable, Equatable {
  public struct Frame: Sendable, Equatable {
    /// `recipe.lua:12`, or `[host]`.
    public var place: String
    /// `in function 'step'`.
    public var what: String
  }

  public var frames: [Frame]

  /// How many frames are kept at either end of a deep stack.
  static let kept = 12
}

extension LuaTraceback: CustomStringConvertible {
  /// One line per frame, places aligned.
  public var description: String {
    let width = frames.map(\.place.count).max() ?? 0
    return frames.map { frame in
      "  " + frame.place + String(repeating: " ", count: width - frame.place.count) + "  " + frame.what
    }.joined(separator: "\n")
  }
}

// MARK: - Taking

extension LuaTraceback {
  /// The frames of the running coroutine and of those that wait for it.
  init(_ state: OpaquePointer) {
    frames = Self.frames(of: state)
    var link = shim_vm_of(state).pointee.links
    while let waiting = link {
      if waiting.pointee.state != state { frames += Self.frames(of: waiting.pointee.state) }
      link = waiting.pointee.up
    }
  }

  private static func frames(of state: OpaquePointer) -> [Frame] {
    let depth = depth(of: state)
    if depth <= 2 * kept { return (0..<depth).compactMap { frame(state, $0) } }
    let skipped = Frame(place: "…", what: "(\(depth - 2 * kept) more calls)")
    return (0..<kept).compactMap { frame(state, $0) } + [skipped]
      + (depth - kept..<depth).compactMap { frame(state, $0) }
  }

  private static func depth(of state: OpaquePointer) -> Int {
    var frame = lua_Debug()
    var low = 0
    var high = 1
    while lua_getstack(state, Int32(high), &frame) != 0 {
      low = high
      high *= 2
    }
    while low < high {
      let middle = (low + high) / 2
      if lua_getstack(state, Int32(middle), &frame) != 0 { low = middle + 1 } else { high = middle }
    }
    return lua_getstack(state, 0, &frame) != 0 ? low : 0
  }

  private static func frame(_ state: OpaquePointer, _ level: Int) -> Frame? {
    var frame = lua_Debug()
    guard lua_getstack(state, Int32(level), &frame) != 0, lua_getinfo(state, "Slnf", &frame) != 0 else { return nil }
    defer { shim_pop(state, 1) }
    if let function = shim_to_function(state, -1) {
      let name = Unmanaged<FunctionBox>.fromOpaque(function).takeUnretainedValue().name
      return Frame(place: "[host]", what: "in '\(name)'")
    }
    guard let source = frame.source, frame.currentline > 0 else { return nil }
    let chunk = String(cString: source).dropFirst()
    return Frame(place: "\(chunk):\(frame.currentline)", what: what(frame, chunk))
  }

  private static func what(_ frame: lua_Debug, _ chunk: Substring) -> String {
    if let what = frame.what, String(cString: what) == "main" { return "in the main chunk" }
    if let name = frame.name { return "in function '\(String(cString: name))'" }
    return "in the function of \(chunk):\(frame.linedefined)"
  }
}

/// The place of the innermost recipe frame, `recipe.lua:12`.
func recipePlace(_ state: OpaquePointer) -> String? {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
    shim_place(state, shim_vm_of(state), buffer.baseAddress, buffer.count)
    return buffer[0] == 0 ? nil : String(cString: buffer.baseAddress!)
  }
}
