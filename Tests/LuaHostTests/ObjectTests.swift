import Diagnostics
import LuaHost
import Testing

/// An object that counts, and how many of them are alive.
final class Counter: LuaObject {
  static let luaName = "test.counter"
  var value = 0
  var isOpen = true
  var nativeBytes: Int
  let order: String?
  let alive: Alive?
  var orderKey: String? { order }

  init(order: String? = nil, nativeBytes: Int = 0, alive: Alive? = nil) {
    self.order = order
    self.nativeBytes = nativeBytes
    self.alive = alive
    alive?.count += 1
  }
  deinit { alive?.count -= 1 }
  func close() { isOpen = false }
}

final class Alive { var count = 0 }

/// A host with the type `test.counter` and the global `new(order)`.
func makeCounterHost(
  nativeBytes: Int = 0, alive: Alive? = nil, seconds: Double = 20
) throws -> (LuaHost, Lines) {
  let (host, lines) = try makeHost { $0.secondsBetweenCalls = seconds }
  try host.declare(
    Counter.self,
    methods: [
      "add": { call in
        let counter = try call.this(Counter.self)
        counter.value += call.integer(2) ?? 1
        call.push(counter.value)
      }
    ],
    metamethods: [
      .index: { call in
        guard call.string(2) == "value" else { throw call.wrong(2, expected: "'value'") }
        call.push(try call.this(Counter.self).value)
      },
      .text: { call in call.push("counter of \(try call.this(Counter.self).value)") },
      .length: { call in call.push(try call.this(Counter.self).value) },
    ])
  let new = host.function("new") { call in
    try call.push(Counter(order: call.string(1), nativeBytes: nativeBytes, alive: alive))
  }
  try host.setGlobal("new", to: new)
  return (host, lines)
}

struct ObjectTests {
  @Test func hasMethodsFieldsAndMetamethods() throws {
    let (host, lines) = try makeCounterHost()
    try host.run("local c = new()\nprint(c:add(2), c:add(), c.value, c, #c)", chunkName: "recipe.lua")
    #expect(lines.all == ["2\t3\t3\tcounter of 3\t3"])
  }

  @Test func theSameObjectIsTheSameUserdata() throws {
    let (host, lines) = try makeCounterHost()
    let counter = Counter()
    let get = host.function("get") { call in try call.push(counter) }
    try host.setGlobal("get", to: get)
    try host.run(
      "local t = {[get()] = 'known'}\ncollectgarbage()\nprint(get() == get(), t[get()], get() == new())",
      chunkName: "recipe.lua")
    #expect(lines.all == ["true\tknown\tfalse"])
    #expect(try host.run("return get()", chunkName: "recipe.lua").first?.object(as: Counter.self) === counter)
  }

  @Test func closesOnceAndSaysSo() throws {
    let (host, _) = try makeCounterHost()
    let counter = Counter()
    try host.setGlobal("counter", to: .userdata(counter))
    let error = try fault("do local c <close> = counter end\ncounter:add(1)", host)
    #expect(error?.description == "recipe.lua:2: argument 1 of 'test.counter:add' is a test.counter that was closed")
    #expect(counter.isOpen == false)
  }

  @Test func aWrongSelfIsNamed() throws {
    let (host, _) = try makeCounterHost()
    #expect(
      try fault("new().add(3)", host)?.description
        == "recipe.lua:1: wrong argument 1 of 'test.counter:add': expected a test.counter, got 3. Call it as object:add(…)."
    )
  }

  @Test func garbageIsReleased() throws {
    let alive = Alive()
    do {
      let (host, _) = try makeCounterHost(alive: alive)
      try host.run("for i = 1, 1000 do new() end collectgarbage()", chunkName: "recipe.lua")
      #expect(alive.count == 0)
      try host.run("local kept = {}\nfor i = 1, 10 do kept[i] = new() end", chunkName: "recipe.lua")
    }
    #expect(alive.count == 0)
  }

  /// A function of the host may hold who owns the host; closing the VM ends that.
  @Test func closingReleasesWhatFunctionsHold() throws {
    let alive = Alive()
    weak var closed: LuaHost?
    do {
      let (host, _) = try makeCounterHost(alive: alive)
      let owner = Counter(alive: alive)
      try host.setGlobal("own", to: host.function("own") { call in call.push(owner.value + host.memoryInUse.lua) })
      try host.run("assert(own() > 0) local kept = new()", chunkName: "recipe.lua")
      host.close()
      host.close()
      host.countBytes(1 << 40)
      closed = host
    }
    #expect(alive.count == 0 && closed == nil)
  }

  /// 1000 objects of 16 MB are far over the limit of 256 MB together: they must drive the collector.
  @Test func nativeMemoryDrivesTheCollector() throws {
    let alive = Alive()
    let (host, _) = try makeCounterHost(nativeBytes: 16 << 20, alive: alive)
    try host.run("for i = 1, 1000 do new() end", chunkName: "recipe.lua")
    #expect(alive.count < 16)
    let error = try fault("local kept = {}\nfor i = 1, 1000 do kept[i] = new() end", host)
    #expect(
      error?.description
        == "recipe.lua:2: not enough memory: expected at most 256 MB. Keep less in tables, texts and "
        + "tensors, or raise the limit: nasrun --memory GB."
    )
  }

  /// What was dropped after it had survived the collections of young objects goes too, long before memory is short.
  @Test func nativeMemoryOfAnyAgeIsReleased() throws {
    let alive = Alive()
    let (host, _) = try makeCounterHost(nativeBytes: 1 << 20, alive: alive)
    try host.run("local kept = {}\nfor i = 1, 2000 do kept[i % 8] = new() end", chunkName: "recipe.lua")
    #expect(alive.count < 64)
  }

  @Test func pairsOrdersObjectsByTheirKey() throws {
    let (host, lines) = try makeCounterHost()
    try host.run(
      "local t = {[new('b')] = 2, [new('a')] = 1}\nfor _, v in pairs(t) do print(v) end", chunkName: "recipe.lua")
    #expect(lines.all == ["1", "2"])
    #expect(
      try fault("for _ in pairs({[new()] = 1}) do end", host)?.message
        == "a table with a userdata as a key can't be traversed")
  }
}
