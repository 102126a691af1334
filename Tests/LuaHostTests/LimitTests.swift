import Diagnostics
import Foundation
import LuaHost
import Synchronization
import Testing

struct LimitTests {
  @Test(.timeLimit(.minutes(1))) func aCancellationEndsTheScript() throws {
    let (host, _) = try makeHost { $0.secondsBetweenCalls = 60 }
    let cancellation = host.cancellation
    let thread = Thread {
      Thread.sleep(forTimeInterval: 0.05)
      cancellation.cancel()
    }
    thread.start()
    #expect(
      try fault("while true do pcall(function() while true do end end) end", host)
        == Fault(.interrupted, "interrupted", at: "recipe.lua:1"))
    #expect(try fault("local x = 1", host) == Fault(.interrupted, "interrupted", at: "recipe.lua:1"))
    cancellation.reset()
    #expect(try fault("local x = 1", host) == nil)
  }

  @Test func nativeLoopsSeeTheCancellation() throws {
    let (host, _) = try makeHost()
    let train = host.function("train") { call in
      call.host.cancellation.cancel()
      if call.host.isCancelled { throw Fault(.interrupted, "stopped after epoch 3", hint: "Go on with 'resume'.") }
    }
    try host.setGlobal("train", to: train)
    #expect(
      try fault("pcall(train)\ntrain()", host)
        == Fault(.interrupted, "stopped after epoch 3", at: "recipe.lua:1", hint: "Go on with 'resume'."))
  }

  /// Host calls are progress, and the clock stands still inside them.
  @Test func hostCallsRestartTheClock() throws {
    let (host, _) = try makeHost()
    let nap = host.function("nap") { call in Thread.sleep(forTimeInterval: call.number(1) ?? 0) }
    try host.setGlobal("nap", to: nap)
    #expect(try fault("nap(0.6)", host) == nil)
    #expect(try fault("for i = 1, 60 do nap(0.001) for j = 1, 50000 do end end", host) == nil)
    #expect(try fault("nap(0.3) while true do end", host)?.code == .limit)
  }

  @Test func theLimitHoldsInsideACallback() throws {
    let (host, _) = try makeHost()
    let relay = host.function("relay") { call in try call.push(call.values()[0].function?() ?? []) }
    try host.setGlobal("relay", to: relay)
    #expect(try fault("pcall(relay, function()\n while true do end end)", host)?.at == "recipe.lua:2")
  }

  @Test func aScriptThatCannotBeStoppedIsReported() throws {
    let reported = Mutex<Fault?>(nil)
    let (host, _) = try makeHost {
      $0.secondsOfGrace = 0.1
      $0.onUnresponsive = { fault in reported.withLock { $0 = fault } }
    }
    // A C function of Lua itself that takes seconds: 50 million elements are moved one by one.
    let text = "local t = {}\n\nfor i = 1, 2 do table.move(t, 1, 49999999, 2) end"
    _ = try fault(text, host)
    let fault = try #require(reported.withLock { $0 })
    #expect(fault.at == "recipe.lua:3")
    #expect(fault.code == .limit)
  }

  @Test func memoryIsCountedAndFreed() throws {
    let (host, _) = try makeHost { $0.memoryLimit = 16 << 20 }
    for _ in 1...3 {
      #expect(try fault("local t = {} for i = 1, 1e9 do t[i] = i end", host)?.code == .limit)
    }
    #expect(try fault("local s = ('x'):rep(20 << 20)", host)?.code == .recipe)
    try host.run("collectgarbage()", chunkName: "recipe.lua")
    #expect(host.memoryInUse.lua < 1 << 20)
    let swell = host.function("swell") { call in call.push(String(repeating: "x", count: 20 << 20)) }
    try host.setGlobal("swell", to: swell)
    #expect(try fault("local s = swell()", host)?.message == "not enough memory")
  }

  @Test func sharedNativeMemoryIsCounted() throws {
    let (host, _) = try makeHost { $0.memoryLimit = 64 << 20 }
    try host.setGlobal("grow", to: host.function("grow") { [unowned host] _ in host.countBytes(16 << 20) })
    #expect(try fault("grow() grow() grow()", host) == nil)
    let full = try #require(try fault("local text = 'x'\ngrow()", host))
    #expect(full.message == "not enough memory")
    #expect(full.at == "recipe.lua:2")
    host.countBytes(-64 << 20)
    #expect(host.memoryInUse.native == 0)
    #expect(try fault("grow()", host) == nil)
    host.countBytes(-16 << 20)
  }
}
