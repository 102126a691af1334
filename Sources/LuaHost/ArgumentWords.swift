import CLua
import CLuaShims

extension LuaCall {
  /// Writes the arguments from `first` on as words that are equal only for equal arguments: plain values, and tables of
  /// these. Returns how many; nil where they don't fit, and for what has no such words.
  public func words(from first: Int, into words: UnsafeMutableBufferPointer<UInt64>) -> Int? {
    var writer = WordWriter(state: state, words: words)
    for index in stride(from: first, through: count, by: 1) where !writer.write(Int32(index), depth: 2) { return nil }
    return writer.count
  }
}

/// Lua values as words, each after a word for its type, so that no sequence is the beginning of another.
private struct WordWriter {
  private enum Mark: UInt64 {
    case `nil`, boolean, integer, number, text, table, end
  }

  let state: OpaquePointer
  let words: UnsafeMutableBufferPointer<UInt64>
  private(set) var count = 0

  init(state: OpaquePointer, words: UnsafeMutableBufferPointer<UInt64>) {
    (self.state, self.words) = (state, words)
  }

  private mutating func put(_ word: UInt64) -> Bool {
    guard count < words.count else { return false }
    words[count] = word
    count += 1
    return true
  }

  private mutating func put(_ mark: Mark, _ word: UInt64) -> Bool { put(mark.rawValue) && put(word) }

  /// Writes the value at an absolute index; whether it could.
  mutating func write(_ index: Int32, depth: Int) -> Bool {
    switch lua_type(state, index) {
    case LUA_TNIL: put(Mark.nil.rawValue)
    case LUA_TBOOLEAN: put(.boolean, lua_toboolean(state, index) != 0 ? 1 : 0)
    case LUA_TNUMBER:
      lua_isinteger(state, index) != 0
        ? put(.integer, UInt64(bitPattern: Int64(lua_tointegerx(state, index, nil))))
        : put(.number, lua_tonumberx(state, index, nil).bitPattern)
    case LUA_TSTRING: write(LuaStack.bytes(state, index))
    case LUA_TTABLE: depth > 0 && writeTable(index, depth: depth - 1)
    default: false
    }
  }

  private mutating func write(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard put(.text, UInt64(text.count)), 8 * (words.count - count) >= text.count else { return false }
    var word: UInt64 = 0
    for (index, byte) in text.enumerated() {
      word |= UInt64(byte) << UInt64(8 * (index & 7))
      guard index & 7 == 7 || index == text.count - 1 else { continue }
      words[count] = word
      count += 1
      word = 0
    }
    return true
  }

  /// A table in the order of its own, which equal ones need not have: then their words differ.
  private mutating func writeTable(_ index: Int32, depth: Int) -> Bool {
    if lua_getmetatable(state, index) != 0 {
      shim_pop(state, 1)
      return false
    }
    guard put(Mark.table.rawValue) else { return false }
    let top = lua_gettop(state)
    lua_pushnil(state)
    while lua_next(state, index) != 0 {
      guard write(top + 1, depth: 0), write(top + 2, depth: depth) else {
        lua_settop(state, top)
        return false
      }
      shim_pop(state, 1)
    }
    return put(Mark.end.rawValue)
  }
}
