import Diagnostics
import LuaHost
import Testing

/// A VM for tests: short limits, a counter as random stream, printed lines kept.
func makeHost(_ change: (inout LuaOptions) -> Void = { _ in }) throws -> (LuaHost, Lines) {
  let lines = Lines()
  var state: UInt64 = 0
  var options = LuaOptions(random: {
    state &+= 0x9E37_79B9_7F4A_7C15
    return state
  })
  options.memoryLimit = 256 << 20
  options.secondsBetweenCalls = 0.2
  options.output = { lines.all.append($0) }
  change(&options)
  return (try LuaHost(options), lines)
}

/// What a script printed.
final class Lines { var all: [String] = [] }

/// The fault that a script ends with.
func fault(_ text: String, _ host: LuaHost? = nil) throws -> Fault? {
  do {
    try (host ?? makeHost().0).run(text, chunkName: "recipe.lua")
    return nil
  } catch let fault as Fault {
    return fault
  }
}

struct LuaHostTests {
  @Test func printsValues() throws {
    let (host, lines) = try makeHost()
    try host.run("print(1, 1.5, 'x', nil, true, {}, print)", chunkName: "recipe.lua")
    #expect(lines.all == ["1\t1.5\tx\tnil\ttrue\ttable\tfunction"])
  }

  @Test func callsSwiftAndBack() throws {
    let (host, _) = try makeHost()
    let twice = host.function("twice") { call in
      guard let body = call.function(1) else { throw call.wrong(1, expected: "a function") }
      try call.push(body([.integer(20)]) + body([.integer(22)]))
    }
    try host.provide("core", host.table(["twice": twice]))
    let results = try host.run("return require 'core'.twice(function(x) return x + 1 end)", chunkName: "recipe.lua")
    #expect(results.map { $0.integer } == [21, 23])
    #expect(
      try fault("local core = require 'core'\ncore.twice(3)", host)?.description
        == "recipe.lua:2: wrong argument 1 of 'twice': expected a function, got 3")
  }
}
