import Diagnostics
import LuaHost
import Testing

/// What `lua5.4` (5.4.4) prints for the same calls.
struct PatternTests {
  @Test(arguments: [
    ("('hello world'):find('o w')", "5,7"),
    ("('hello'):find('l+')", "3,4"),
    ("('hello'):find('xyz')", "nil"),
    ("('hello'):find('', 6)", "6,5"),
    ("('hello'):find('', 7)", "nil"),
    ("('a.b'):find('.', 2, true)", "2,2"),
    ("('key = value'):match('^(%w+)%s*=%s*(%w+)$')", "key,value"),
    ("('  trim  '):match('^%s*(.-)%s*$')", "trim"),
    ("('f(a(b)c)d'):match('%b()')", "(a(b)c)"),
    ("('THE (quick) fox'):find('%f[%a]%a+%f[%A]')", "1,3"),
    ("('abcabc'):match('(abc)%1')", "abc"),
    ("('abc'):match('()b()')", "2,3"),
    ("('x]y'):match('[]]')", "]"),
    ("('a-z'):match('[a%-z]+')", "a-z"),
    ("('2026-11-20'):gsub('(%d+)-(%d+)-(%d+)', '%3.%2.%1')", "20.11.2026,1"),
    ("('hello'):gsub('', '-')", "-h-e-l-l-o-,6"),
    ("('hello world'):gsub('o', { o = '0' }, 1)", "hell0 world,1"),
    ("('abc'):gsub('%w', function(c) if c ~= 'b' then return c:upper() end end)", "AbC,3"),
    ("('abc'):gsub('^a', 'x')", "xbc,1"),
    ("('50%'):gsub('%%', ' %%')", "50 %,1"),
  ])
  func matchesAsStockLua(_ call: String, _ expected: String) throws {
    let (host, lines) = try makeHost()
    try host.run(
      "local t = table.pack(\(call)) for i = 1, t.n do t[i] = tostring(t[i]) end print(table.concat(t, ','))",
      chunkName: "recipe.lua")
    #expect(lines.all == [expected])
  }

  @Test func gmatchWalks() throws {
    let (host, lines) = try makeHost()
    try host.run(
      "for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do print(k, v) end for w in ('one two'):gmatch('%a+') do print(w) end",
      chunkName: "recipe.lua")
    #expect(lines.all == ["a\t1", "b\t2", "one", "two"])
  }

  @Test(arguments: [
    ("%", "malformed pattern (ends with '%')"),
    ("[a", "malformed pattern (missing ']')"),
    ("(a", "unfinished capture"),
    ("(a))", "invalid pattern capture"),
    ("%b(", "malformed pattern (missing arguments to '%b')"),
    ("%fa", "missing '[' after '%f' in pattern"),
    ("(a%1)", "invalid capture index %1 in pattern"),
    (String(repeating: "()", count: 33), "too many captures"),
    (String(repeating: "a?", count: 300), "pattern too complex"),
  ])
  func aMalformedPatternIsNamed(_ pattern: String, _ message: String) throws {
    #expect(try fault("(('a'):rep(1000)):find('\(pattern)')")?.message == message)
  }
}
