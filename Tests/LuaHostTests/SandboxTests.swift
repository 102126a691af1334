import Canonical
import Diagnostics
import LuaHost
import Testing

/// The lines that a script prints.
private func output(_ text: String, _ change: (inout LuaOptions) -> Void = { _ in }) throws -> [String] {
  let (host, lines) = try makeHost(change)
  try host.run(text, chunkName: "recipe.lua")
  return lines.all
}

struct SandboxTests {
  @Test func theGlobalsAreTheAllowedOnes() throws {
    let names = try output("for name in pairs(_G) do print(name) end")
    #expect(
      names.joined(separator: " ")
        == "_G _VERSION assert collectgarbage coroutine error getmetatable ipairs math next pairs pcall print rawequal rawget rawlen rawset require select setmetatable string table tonumber tostring type utf8 xpcall"
    )
    #expect(try output("print(type(io), type(os))") { $0.trusted = true } == ["table\ttable"])
  }

  @Test func librariesAreWhole() throws {
    #expect(
      try output("for k in pairs(coroutine) do print(k) end")
        == ["close", "create", "isyieldable", "resume", "running", "status", "wrap", "yield"])
    #expect(
      try output("print(math.random ~= nil, rawget(math, 'floor') == math.floor, getmetatable(math))")
        == ["true\ttrue\tfalse"])
    #expect(try output("print(('x'):rep(3, '-'), ('%5.1f|%s|%q'):format(1, {}, 'a'))") == ["x-x-x\t  1.0|table|\"a\""])
  }

  @Test func pairsHasADefinedOrder() throws {
    #expect(
      try output(
        """
        local t = { b = 1, a = 2, [10] = 3, [2.5] = 4, [-1] = 5, [true] = 6, [false] = 7, 'x', 'y' }
        local keys = {}
        for k in pairs(t) do keys[#keys + 1] = tostring(k) end
        print(table.concat(keys, ' '))
        local k, walked = nil, {}
        repeat k = next(t, k) walked[#walked + 1] = tostring(k) until k == nil
        print(table.concat(walked, ' '))
        """) == ["-1 1 2 2.5 10 a b false true", "-1 1 2 2.5 10 a b false true nil"])
  }

  @Test func pairsAllowsRemovalAndMetamethods() throws {
    #expect(
      try output(
        """
        local t = { a = 1, b = 2, c = 3 }
        for k in pairs(t) do t.b = nil print(k) end
        for k in next, t do t[k] = nil print(k) end
        print(next(t), next({}))
        for k, v in pairs(setmetatable({}, { __pairs = function() return ipairs { 'x' } end })) do print(k, v) end
        """) == ["a", "c", "a", "c", "nil\tnil", "1\tx"])
  }

  @Test func textsHaveNoAddresses() throws {
    #expect(
      try output("print({}, print, coroutine.create(print), setmetatable({}, { __name = 'cell' }), math)")
        == ["table\tfunction\tcoroutine\tcell\tmath"])
  }

  /// xoshiro and all others give 64 bits; the rule from bits to numbers is the host's.
  @Test func randomNumbersComeFromTheHost() throws {
    var bits: [UInt64] = [1 << 63, 7, .max, 41, 5]
    let lines = try output(
      "print(math.random(), math.random(5), math.random(0), math.random(10, 20), math.random(-1, -1))"
    ) { $0.random = { bits.removeFirst() } }
    #expect(lines == ["0.5\t3\t-1\t18\t-1"])
    #expect(try fault("math.random(2, 1)")?.message == "bad argument #2 to 'random' (interval is empty)")
    #expect(try fault("math.randomseed(1)")?.message == "attempt to call a nil value (field 'randomseed')")
  }

  @Test func readOnlyViewsOfHostTables() throws {
    let (host, lines) = try makeHost()
    let table = try #require(host.table([.integer(5), .string("x")]).table)
    try host.setGlobal("list", to: host.readOnly(table, name: "list"))
    try host.run(
      "print(#list, list[2], pcall(rawset, list, 1, 2)) for _, v in ipairs(list) do print(v) end", chunkName: "r.lua")
    #expect(lines.all == ["2\tx\tfalse\tr.lua:1: rawset on a read-only table", "5", "x"])
    #expect(try fault("list[3] = 1", host)?.message == "the table 'list' is read-only: can't set '3'")
  }

  @Test func swiftSeesThroughReadOnlyViews() throws {
    let (host, _) = try makeHost()
    let table = try #require(host.table([.integer(5), .string("x")]).table)
    let view = try #require(host.readOnly(table, name: "list").table)
    #expect(view.count == 2)
    #expect(view[2].string == "x")
    #expect(try view.json() == [5, "x"])
    try host.setGlobal("list", to: .table(view))
    let outer = try #require(host.run("return { inner = list }", chunkName: "recipe.lua").first?.table)
    #expect(try outer.json() == ["inner": [5, "x"]])
    let function = try #require(
      host.run("local l = list return function() return l end", chunkName: "recipe.lua").first?.function)
    #expect(try host.digest(of: function).count == 64)
  }

  @Test func protectedCallsYield() throws {
    #expect(
      try output(
        """
        local co = coroutine.wrap(function()
          print(pcall(function() print(coroutine.yield(1)) error('x', 0) end))
          print(xpcall(function(a) return a, coroutine.yield(2) end, print, 'a'))
          print(xpcall(function(a) coroutine.yield(3) error(a, 0) end, function(e) return e .. '!' end, 'b'))
          return 'end'
        end)
        print(co(), co('in'), co('out'), co())
        """) == ["in", "false\tx", "true\ta\tout", "false\tb!", "1\t2\t3\tend"])
  }

  /// The C library writes the sign of a NaN, which differs between processors.
  @Test func aNaNHasNoSign() throws {
    #expect(try output("print(('%.2f|%5.1f|%g|%s'):format(0 / 0, -(0 / 0), 0 / 0, 0 / 0))") == ["nan|  nan|nan|nan"])
    #expect(try output("print(('%+.1f %s %g'):format(0 / 0, {}, -1 / 0), 0 / 0)") == ["+nan table -inf\tnan"])
  }

  @Test func formatHidesNoAddressBehindAZero() throws {
    #expect(try fault(#"print(("\0%p"):format({}))"#)?.message == "string.format has no '%p' in a recipe")
    #expect(try output(#"print(("%s\0%s%%"):format({}, print))"#) == ["table\0function%"])
  }

  @Test func trustIsNeededForFiles() throws {
    #expect(try output("print(io.type(io.tmpfile()))") { $0.trusted = true } == ["file"])
    #expect(try fault("io.open('x')")?.message == "undeclared global 'io'")
  }
}
