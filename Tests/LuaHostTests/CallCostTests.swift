import LuaHost
import Testing

struct CallCostTests {
  /// A million calls each way leave nothing behind.
  @Test func aMillionCallsDoNotGrow() throws {
    let alive = Alive()
    let (host, _) = try makeCounterHost(alive: alive)
    let apply = host.function("apply") { call in
      guard let body = call.function(1) else { throw call.wrong(1, expected: "a function") }
      try call.push(body([.integer(1)]))
    }
    try host.setGlobal("apply", to: apply)
    let round = """
      local counter, body = new(), function(x) return x end
      for i = 1, 200000 do counter:add(1) apply(body) new() end
      for i = 1, 2000 do
        pcall(apply, i)
        coroutine.wrap(function() apply(body) coroutine.yield() end)()
      end
      collectgarbage()
      """
    try host.run(round, chunkName: "recipe.lua")
    let before = host.memoryInUse.lua
    try host.run(round, chunkName: "recipe.lua")
    try host.run("collectgarbage()", chunkName: "recipe.lua")
    #expect(host.memoryInUse.lua < before + before / 20)
    #expect(alive.count <= 1)
  }

  #if !DEBUG
    /// A call of a host function costs at most twice a call of a C function: the best of several rounds counts.
    @Test func aCallCostsAtMostTwiceACFunction() throws {
      let (host, _) = try makeHost { $0.secondsBetweenCalls = 60 }
      let add = host.function("add") { call in
        guard let x = call.number(1) else { throw call.wrong(1, expected: "a number") }
        call.push(x + 1)
      }
      let host1 = try #require(loop(add, host))
      let stock = try #require(loop(host.run("return math.abs", chunkName: "recipe.lua")[0], host))
      #expect(host1 < 2 * stock)
    }

    private func loop(_ function: LuaValue, _ host: LuaHost) throws -> Duration? {
      let chunk = "return function(f) for i = 1, 1000000 do f(1.5) end end"
      let body = try #require(host.run(chunk, chunkName: "recipe.lua").first?.function)
      return try (1...5).map { _ in try ContinuousClock().measure { try body([function]) } }.min()
    }
  #endif
}
