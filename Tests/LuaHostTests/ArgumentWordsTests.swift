import LuaHost
import Testing

@Suite struct ArgumentWordsTests {
  /// The words of the arguments of a call, nil where it has none. The same call in the same VM has the same.
  private func words(_ arguments: String, from first: Int = 1, room: Int = 64) throws -> [UInt64]? {
    let (host, _) = try makeHost()
    var results: [[UInt64]?] = []
    let call = host.function("call") { call in
      let result = withUnsafeTemporaryAllocation(of: UInt64.self, capacity: room) { words in
        call.words(from: first, into: words).map { Array(words[..<$0]) }
      }
      results.append(result)
    }
    try host.setGlobal("call", to: call)
    try host.run("for _ = 1, 2 do call(\(arguments)) end", chunkName: "recipe.lua")
    #expect(results.count == 2 && results[0] == results[1])
    return results[0]
  }

  @Test func differentArgumentsHaveDifferentWords() throws {
    let arguments = [
      "", "nil", "nil, nil", "false", "true", "0", "1", "0.0", "1.5", "''", "'a'", "'axis'", "'a long text of bytes'",
      "'a long text of bytez'", "'\\0'", "{}", "{ 1 }", "{ 2 }", "{ 1, 2 }", "{ a = 1 }", "{ b = 1 }", "{ a = 1.0 }",
      "{ a = '1' }", "{ a = { 1, 2 } }", "{ a = { 1 }, b = 2 }", "{ a = {} }", "{ a = 1 }, 2", "{}, {}", "1, 2", "2, 1",
    ]
    let found = try arguments.map { try #require(try words($0), "\($0)") }
    #expect(Set(found).count == arguments.count)
  }

  @Test func whatIsNoPlainValueHasNone() throws {
    for arguments in ["print", "{ a = print }", "{ { { 1 } } }", "setmetatable({}, {})", "coroutine.create(print)"] {
      #expect(try words(arguments) == nil, "\(arguments)")
    }
    #expect(try words("print, 1", from: 2) == words("1"))
    #expect(try words("1, 2, 3", room: 5) == nil)
    #expect(try words("'nine bytes'", room: 3) == nil)
  }
}
