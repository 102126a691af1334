import Diagnostics
import LuaHost
import Testing

private struct Broken: Error, Equatable { let number: Int }

/// A host with `relay(f, …)`, which calls `f` from Swift, and `fail()`.
private func makeErrorHost() throws -> (LuaHost, Lines) {
  let (host, lines) = try makeHost()
  let relay = host.function("nas.relay") { call in
    guard let body = call.function(1) else { throw call.wrong(1, expected: "a function") }
    try call.push(body(call.values(from: 2)))
  }
  let fail = host.function("nas.fail") { _ in
    throw Fault(.data, "the file is short", path: "images", expected: "784 bytes", got: "12", hint: "Fetch it again.")
  }
  let crash = host.function("nas.crash") { _ in throw Broken(number: 7) }
  try host.setGlobal("relay", to: relay)
  try host.setGlobal("fail", to: fail)
  try host.setGlobal("crash", to: crash)
  return (host, lines)
}

struct ErrorTests {
  static let failed = Fault(
    .data, "the file is short", at: "recipe.lua:2", path: "images", expected: "784 bytes", got: "12",
    hint: "Fetch it again.")

  @Test(arguments: [
    "fail()", "relay(fail)", "relay(relay, relay, fail)", "error(select(2, pcall(fail)))",
    "coroutine.wrap(fail)()", "relay(coroutine.wrap(relay), fail)", "assert(pcall(fail))",
  ])
  func aFaultKeepsItsFields(_ call: String) throws {
    let (host, _) = try makeErrorHost()
    #expect(try fault("\n\(call)", host) == Self.failed)
  }

  @Test func scriptsReadTheFields() throws {
    let (host, lines) = try makeErrorHost()
    try host.run(
      """
      local ok, err = pcall(function() fail() end)
      print(ok, err.code, err.message, err.at, err.path, err.expected, err.got, err.hint, err.cause, err.other)
      print(err)
      print('error: ' .. err)
      print(err == select(2, pcall(relay, error, err)), type(err))
      """, chunkName: "recipe.lua")
    let text = "recipe.lua:1: images: the file is short: expected 784 bytes, got 12. Fetch it again."
    #expect(
      lines.all == [
        "false\tdata\tthe file is short\trecipe.lua:1\timages\t784 bytes\t12\tFetch it again.\tnil\tnil", text,
        "error: \(text)", "true\tuserdata",
      ])
  }

  @Test(arguments: ["crash()", "relay(crash)", "coroutine.wrap(crash)()"])
  func anotherSwiftErrorComesBackItself(_ call: String) throws {
    let (host, _) = try makeErrorHost()
    #expect(throws: Broken(number: 7)) { try host.run(call, chunkName: "recipe.lua") }
  }

  @Test func luaValuesPassSwiftUnchanged() throws {
    let (host, lines) = try makeErrorHost()
    try host.run(
      """
      local value = { code = 5 }
      print(select(2, pcall(relay, relay, error, value)) == value)
      print(pcall(relay, function() error('text') end))
      print(pcall(relay, error, 7, 0), pcall(relay, error, nil))
      """, chunkName: "recipe.lua")
    #expect(lines.all == ["true", "false\trecipe.lua:3: text", "false\tfalse\tnil"])
  }

  @Test func tracebackIsOneAndAligned() throws {
    let (host, _) = try makeErrorHost()
    _ = try fault(
      """
      local function inner() fail() end
      local function middle() relay(inner) end
      local co = coroutine.wrap(function() middle() end)
      local function outer()
        local ok, err = pcall(relay, co)
        error(err)
      end
      outer()
      """, host)
    #expect(
      host.lastTraceback.description == """
          [host]        in 'nas.fail'
          recipe.lua:1  in the function of recipe.lua:1
          [host]        in 'nas.relay'
          recipe.lua:2  in function 'middle'
          recipe.lua:3  in the function of recipe.lua:3
          [host]        in 'nas.relay'
          recipe.lua:5  in function 'outer'
          recipe.lua:8  in the main chunk
        """)
  }

  @Test func aTracebackOfPlainErrorsToo() throws {
    let (host, _) = try makeErrorHost()
    _ = try fault("local function inner(x) return x.y.z end\nlocal f = coroutine.wrap(inner)\nrelay(f, {})", host)
    #expect(host.lastTraceback.frames.map(\.place) == ["recipe.lua:1", "[host]", "recipe.lua:3"])
    _ = try fault("local function f(n) if n == 0 then error('x') end f(n - 1) end\nf(100)", host)
    #expect(host.lastTraceback.frames.map(\.what).contains("(80 more calls)"))
  }

  @Test func deepNestingIsAnError() throws {
    let text = try LuaHost.onBigStack {
      let (host, _) = try makeErrorHost()
      return try fault("local function f() relay(f) end\nf()", host)?.description
    }
    #expect(text == "recipe.lua:1: C stack overflow")
  }

  @Test func aYieldAcrossSwiftIsAnError() throws {
    let (host, _) = try makeErrorHost()
    #expect(
      try fault("coroutine.wrap(function()\nrelay(coroutine.yield) end)()", host)?.message
        == "attempt to yield across a C-call boundary")
  }
}
