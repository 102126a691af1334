import Diagnostics
import LuaHost
import Testing

/// A host with `stop()` that raises the signal of `outer`, `stop_inner()` for `inner`, and `catch`.
private func makeSignalHost() throws -> (LuaHost, Lines, LuaSignalToken) {
  let (host, lines) = try makeHost()
  let outer = LuaSignalToken("outer")
  let inner = LuaSignalToken("inner")
  for (name, token) in [("outer", outer), ("inner", inner)] {
    let stop = host.function("stop_\(name)") { _ in throw LuaSignal(token, reason: "\(name) is over") }
    try host.setGlobal("stop_\(name)", to: stop)
    try host.setGlobal(name, to: .userdata(token))
  }
  let relay = host.function("relay") { call in
    guard let body = call.function(1) else { throw call.wrong(1, expected: "a function") }
    try call.push(body(call.values(from: 2)))
  }
  try host.setGlobal("relay", to: relay)
  try host.setGlobal("catch", to: host.catchFunction())
  return (host, lines, outer)
}

/// Scripts that try to stop the signal; each raises it by `stop_outer()`.
private let swallowers = [
  "pcall(stop_outer)",
  "for i = 1, 10 do pcall(function() pcall(stop_outer) end) end",
  "xpcall(stop_outer, function(e) print('handler') return e end)",
  "coroutine.resume(coroutine.create(stop_outer))",
  "pcall(coroutine.wrap(function() pcall(stop_outer) end))",
  "local co = coroutine.wrap(function() coroutine.yield() stop_outer() end) co() pcall(co)",
  "pcall(function() local x <close> = setmetatable({}, {__close = function() error('mine') end}) stop_outer() end)",
  "pcall(function() local x <close> = setmetatable({}, {__close = function() pcall(error, 'mine') end}) stop_outer() end)",
  "local co = coroutine.create(function() local x <close> = setmetatable({}, {__close = stop_outer}) coroutine.yield() end) "
    + "coroutine.resume(co) coroutine.close(co)",
  "catch(inner, stop_outer)",
  "catch(inner, function() pcall(relay, function() pcall(stop_outer) end) end)",
  "pcall(table.sort, {1, 2}, stop_outer)",
  "pcall(require, 'x') pcall(relay, stop_outer)",
]

struct SignalTests {
  @Test(arguments: swallowers)
  func passesThrough(_ script: String) throws {
    let (host, lines, outer) = try makeSignalHost()
    let error = #expect(throws: LuaSignal.self) {
      try host.run("\(script)\nprint('swallowed')", chunkName: "recipe.lua")
    }
    #expect(error?.token === outer)
    #expect(lines.all == [])
  }

  @Test(arguments: swallowers)
  func isCaughtByItsToken(_ script: String) throws {
    let (host, lines, _) = try makeSignalHost()
    try host.run(
      "print(catch(outer, function() \(script) print('swallowed') end))\nprint(pcall(error, 'plain', 0))",
      chunkName: "recipe.lua")
    #expect(lines.all == ["false\touter is over", "false\tplain"])
  }

  @Test func catchReturnsResultsAndLetsErrorsPass() throws {
    let (host, lines, _) = try makeSignalHost()
    try host.run("print(catch(outer, function(a, b) return b, a end, 1, 2))", chunkName: "recipe.lua")
    #expect(lines.all == ["true\t2\t1"])
    let error = try fault("local function f() error('no luck') end\ncatch(outer, f)", host)
    #expect(error?.description == "recipe.lua:1: no luck")
    #expect(host.lastTraceback.frames.map(\.place) == ["recipe.lua:1", "recipe.lua:2"])
  }

  @Test func worksInACoroutineThatYieldsInsideCatch() throws {
    let (host, lines, _) = try makeSignalHost()
    try host.run(
      """
      local co = coroutine.wrap(function()
        print(catch(outer, function() coroutine.yield(1) stop_outer() end))
        return 2
      end)
      print(co(), co())
      """, chunkName: "recipe.lua")
    #expect(lines.all == ["false\touter is over", "1\t2"])
  }

  @Test func swiftCatchesBetweenCalls() throws {
    let (host, lines, outer) = try makeSignalHost()
    let search = host.function("search") { call in
      let reason = try call.host.catching(outer) { _ = try call.values().first?.function?() }
      call.push(reason ?? "none")
    }
    try host.setGlobal("search", to: search)
    try host.run("print(search(stop_outer), pcall(error, 'x', 0))", chunkName: "recipe.lua")
    #expect(lines.all == ["outer is over\tfalse\tx"])
  }

  /// A coroutine that a signal ends is closed, although `resume` leaves a failed one as it is.
  @Test func coroutinesAreClosedOnTheWay() throws {
    let (host, lines, _) = try makeSignalHost()
    try host.run(
      """
      local function closing(name) return setmetatable({}, {__close = function() print(name) relay(print, 'host') end}) end
      catch(outer, function()
        coroutine.resume(coroutine.create(function() local x <close> = closing('resumed') stop_outer() end))
      end)
      catch(outer, coroutine.wrap(function() local x <close> = closing('wrapped') stop_outer() end))
      """, chunkName: "recipe.lua")
    #expect(lines.all == ["resumed", "host", "wrapped", "host"])
  }

  @Test func cleanUpMayUsePcall() throws {
    let (host, lines, _) = try makeSignalHost()
    try host.run(
      """
      catch(outer, function()
        local x <close> = setmetatable({}, {__close = function() print(pcall(error, 'mine', 0)) print('cleaned') end})
        stop_outer()
      end)
      """, chunkName: "recipe.lua")
    #expect(lines.all == ["false\tmine", "cleaned"])
  }
}
