import Diagnostics
import LuaHost
import Testing

/// The digest of the function that a script returns.
private func digest(_ text: String, leavingOut: Set<String> = []) throws -> String {
  let (host, _) = try makeHost()
  let results = try host.run(text, chunkName: "recipe.lua")
  let function = try #require(results.first?.function)
  return try host.digest(of: function, leavingOut: leavingOut)
}

struct DigestTests {
  static let original = """
    local limit, ops = 3, { "conv", stride = 2, [1.5] = true }
    local function clip(x) return math.min(x, limit) end
    return function(arch) return clip(#ops + arch.depth) end
    """

  @Test(arguments: [
    "-- a comment above\n\n" + original,
    original.replacing("clip", with: "bound"),
    original.replacing("stride = 2, [1.5] = true", with: "[1.5] = true, stride = 2"),
    "local unused = coroutine.create(print)\n" + original,
  ])
  func sameMeaningSameDigest(_ text: String) throws {
    #expect(try digest(text) == digest(Self.original))
  }

  @Test(arguments: [
    original.replacing("limit, ops = 3", with: "limit, ops = 4"),
    original.replacing("limit, ops = 3", with: "limit, ops = 3.0"),
    original.replacing("\"conv\"", with: "\"pool\""),
    original.replacing("stride = 2", with: "stride = 3"),
    original.replacing("math.min", with: "math.max"),
    original.replacing("arch.depth", with: "arch.width"),
  ])
  func anotherMeaningAnotherDigest(_ text: String) throws {
    #expect(try digest(text) != digest(Self.original))
  }

  /// A function behind a check counts by its own code and what it captures, and by the check.
  @Test func checkedFunctionsCountByWhatTheyCall() throws {
    func digest(_ captured: Int, id: Int) throws -> String {
      let (host, _) = try makeHost()
      let check = host.function("check") { call in
        for index in 2...max(2, call.count) { try call.push(call.value(index)) }
      }
      let inner = try #require(
        try host.run("local n = \(captured) return function(x) return x + n end", chunkName: "r")[0].function)
      let checked = try host.checked(inner, by: try #require(check.function), id: id)
      #expect(try checked.function?([.integer(4)]).first?.integer == 4 + captured)
      return try host.digest(of: try #require(checked.function))
    }
    #expect(try digest(1, id: 2) == digest(1, id: 2))
    #expect(try digest(1, id: 2) != digest(2, id: 2))
    #expect(try digest(1, id: 2) != digest(1, id: 3))
  }

  @Test func cyclesEnd() throws {
    let text = "local t = { x = 1 } t.self = t\nlocal function f() return f, t end return f"
    #expect(try digest(text) == digest(text))
    #expect(try digest(text) != digest(text.replacing("x = 1", with: "x = 2")))
  }

  @Test func namesWhatHasNoDigest() throws {
    let text = "local cache = { co = coroutine.create(print) }\nreturn function() return cache end"
    #expect(
      throws: Fault(
        .recipe, "the function at recipe.lua:2 captures a value that has no digest", path: "cache.co",
        expected: "numbers, texts, tables and functions", got: "a coroutine",
        hint: "Create it inside the function, or name the variable in 'depends'.")
    ) { try digest(text) }
    #expect(try digest(text, leavingOut: ["cache"]).count == 64)
  }

  @Test func objectsCountByTheirDigest() throws {
    let (host, _) = try makeHost()
    try host.declare(Counter.self)
    try host.setGlobal("counter", to: .userdata(Counter()))
    let results = try host.run("local c = counter\nreturn function() return c end", chunkName: "recipe.lua")
    let function = try #require(results.first?.function)
    let one = try host.digest(of: function) { _ in "one" }
    #expect(try host.digest(of: function) { _ in "one" } == one)
    #expect(try host.digest(of: function) { _ in "two" } != one)
    #expect(throws: Fault.self) { try host.digest(of: function) }
  }
}
