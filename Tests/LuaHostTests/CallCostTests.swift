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
}
