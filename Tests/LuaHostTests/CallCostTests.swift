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

  /// Texts and tables of sizes on both sides of what the pool of small blocks holds, made, dropped and made again.
  @Test func blocksOfEverySizeKeepWhatTheyHold() throws {
    let (host, lines) = try makeCounterHost()
    try host.run(
      """
      local function text(size, round) return string.rep(string.char(97 + (size + round) % 26), size) end
      local function fill()
        local kept, rounds = {}, {}
        for round = 1, 4 do
          for size = 0, 700 do
            if (size + round) % 3 ~= 0 then kept[size], rounds[size] = text(size, round), round end
            local list = {}
            for i = 1, size % 70 do list[i] = i * round end
            assert(#list == size % 70 and (list[#list] or 0) == #list * round)
          end
          collectgarbage()
          for size, round in pairs(rounds) do assert(kept[size] == text(size, round)) end
        end
      end
      fill()
      collectgarbage()
      local before = collectgarbage("count")
      for _ = 1, 3 do fill() end
      collectgarbage()
      print(collectgarbage("count") < 1.05 * before)
      """, chunkName: "recipe.lua")
    #expect(lines.all == ["true"])
  }
}
