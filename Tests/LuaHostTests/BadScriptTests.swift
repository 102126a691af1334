import Diagnostics
import LuaHost
import Testing

/// A script that must end in exactly this error, soon.
struct BadScript: Sendable, CustomTestStringConvertible {
  let name: String
  let text: String
  let code: Fault.Code
  let error: String
  var testDescription: String { name }

  init(_ name: String, _ text: String, _ code: Fault.Code, _ error: String) {
    (self.name, self.text, self.code, self.error) = (name, text, code, error)
  }
}

private let tooLong = "the script ran for 0.2 s without calling an API function. Does a loop never end?"

/// Ways to run for ever: none may be caught or swallowed by the script.
private let endless = [
  BadScript("bare loop", "\nwhile true do end", .limit, "recipe.lua:2: " + tooLong),
  BadScript(
    "loop in pcall", "while true do\n pcall(function() while true do end end) end", .limit, "recipe.lua:2: " + tooLong),
  BadScript(
    "loop in xpcall", "while true do xpcall(function() while true do end end, print) end", .limit,
    "recipe.lua:1: " + tooLong),
  BadScript(
    "endless handler", "xpcall(function() error('x') end, function()\n while true do end end)", .limit,
    "recipe.lua:2: " + tooLong),
  BadScript(
    "endless handler of an endless loop",
    "xpcall(function() while true do end end,\n function() while true do end end)",
    .limit, "recipe.lua:1: " + tooLong),
  BadScript(
    "loop in a coroutine",
    "local co = coroutine.create(function() while true do end end)\nwhile true do coroutine.resume(co) end",
    .limit, "recipe.lua:1: " + tooLong),
  BadScript(
    "loop in a wrapped coroutine with a __close that loops",
    """
    local forever = function() while true do end end
    local f = coroutine.wrap(function() local x <close> = setmetatable({}, {__close = forever}); forever() end)
    pcall(f)
    """, .limit, "recipe.lua:1: " + tooLong),
  BadScript(
    "loop in __close", "do local x <close> = setmetatable({}, {__close = function()\nwhile true do end end}) end",
    .limit,
    "recipe.lua:2: " + tooLong),
  BadScript(
    "loop of nested coroutines", "local function go() coroutine.wrap(function()\n while true do end end)() end go()",
    .limit, "recipe.lua:2: " + tooLong),
  BadScript(
    "loop in a metamethod", "local t = setmetatable({}, {__index = function()\n while true do end end})\nprint(t.x)",
    .limit, "recipe.lua:2: " + tooLong),
  BadScript(
    "loop in a sort", "table.sort({1, 2, 3}, function()\n while true do end end)", .limit, "recipe.lua:2: " + tooLong),
]

/// Matches that would take years.
private let pathological = [
  BadScript("pattern", "local s = ('a'):rep(20000)\ns:find(('.-'):rep(2) .. 'b')", .limit, "recipe.lua:2: " + tooLong),
  BadScript(
    "greedy pattern", "pcall(string.match, ('a'):rep(40), ('a*'):rep(40) .. 'b')", .limit, "recipe.lua:1: " + tooLong),
  BadScript("gsub", "(('a'):rep(20000)):gsub(('.-'):rep(2) .. 'b', '')", .limit, "recipe.lua:1: " + tooLong),
  BadScript(
    "gmatch", "for x in (('a'):rep(20000)):gmatch(('.-'):rep(2) .. 'b') do end", .limit, "recipe.lua:1: " + tooLong),
  BadScript(
    "plain search", "(('a'):rep(1 << 21)):find(('a'):rep(1 << 20) .. 'b', 1, true)", .limit, "recipe.lua:1: " + tooLong),
]

private let large = [
  BadScript(
    "rep", "local s = ('x'):rep(10000000000)", .recipe,
    "recipe.lua:1: the result of 'string.rep' is too long: expected at most the memory limit of 268435456 bytes, got 10000000000 copies of 1 bytes"
  ),
  BadScript(
    "rep of nothing", "error((''):rep(1 << 40) == '')", .recipe,
    "recipe.lua:1: an error without a text: expected error(\"what went wrong\"), got error(true)"),
  BadScript(
    "move", "table.move({}, 1, 1 << 40, 2)", .recipe,
    "recipe.lua:1: the range of 'table.move' is too long: expected at most 50000000 elements, got 1 to 1099511627776"),
  BadScript(
    "insert", "table.insert(setmetatable({}, {__len = function() return 1 << 40 end}), 1, 1)", .recipe,
    "recipe.lua:1: the range of 'table.insert' is too long: expected at most 50000000 elements, got 1 to 1099511627776"),
  BadScript(
    "concat", "table.concat(setmetatable({}, {__index = function() return 'x' end}), '', 1, 1 << 40)", .recipe,
    "recipe.lua:1: the range of 'table.concat' is too long: expected at most 50000000 elements, got 1 to 1099511627776"),
  BadScript(
    "memory", "local t, s = {}, ('x'):rep(1 << 20)\nwhile true do t[#t + 1] = s .. #t end", .limit,
    "recipe.lua:2: not enough memory: expected at most 256 MB. Keep less in tables, texts and "
      + "tensors, or raise the limit: nasrun --memory GB."
  ),
  BadScript(
    "recursion", "local function f() return 1 + f() end\nf()", .recipe, "recipe.lua:1: stack overflow"),
  BadScript(
    "recursion of coroutines", "local function f() coroutine.wrap(f)() end\nf()", .recipe,
    "recipe.lua:1: C stack overflow"),
]

private let errors = [
  BadScript(
    "error({})", "\nerror({})", .recipe,
    "recipe.lua:2: an error without a text: expected a text, or a table with the field 'message', got a table without it"
  ),
  BadScript(
    "error(nil)", "\n\nerror(nil)", .recipe,
    "recipe.lua:3: an error without a text: expected error(\"what went wrong\"), got error(nil)"),
  BadScript(
    "error of a table", "error({ code = 'data', message = 'no file', hint = 'Look.' })", .data,
    "recipe.lua:1: no file. Look."),
  BadScript("error of a text", "local function f() error('no luck') end\nf()", .recipe, "recipe.lua:1: no luck"),
  BadScript("error without a place", "error('no luck', 0)", .recipe, "recipe.lua:1: no luck"),
  BadScript(
    "index of nil", "local t\nprint(t.x)", .recipe,
    "recipe.lua:2: attempt to index a nil value (local 't'). "
      + "'t' has no value there: check how it is spelt, and that something was assigned to it before."),
  BadScript(
    "bytecode", "\u{1B}Lua\u{54}", .recipe,
    "recipe.lua is bytecode: expected Lua source text. Run the source file instead."),
  BadScript("syntax on line 1", "local = 3", .recipe, "recipe.lua:1: <name> expected near '='"),
  BadScript("syntax at the end", "print(1", .recipe, "recipe.lua:1: ')' expected near <eof>"),
  BadScript(
    "misspelled global", "local x = 1\npritn(x)", .recipe,
    "recipe.lua:2: undeclared global 'pritn'. Check the spelling, or write 'local pritn = …' before this line."),
  BadScript(
    "new global", "x = 1", .recipe, "recipe.lua:1: assignment to the undeclared global 'x'. Write 'local x = …'."),
  BadScript(
    "global function", "function f() end", .recipe,
    "recipe.lua:1: assignment to the undeclared global 'f'. Write 'local function f(…)'."),
  BadScript(
    "changed library", "math.pi = 3", .recipe, "recipe.lua:1: the table 'math' is read-only: can't set 'pi'"),
  BadScript(
    "changed global", "print = 3", .recipe,
    "recipe.lua:1: assignment to the undeclared global 'print'. Write 'local print = …'."),
  BadScript("rawset", "rawset(string, 'x', 1)", .recipe, "recipe.lua:1: rawset on a read-only table"),
  BadScript(
    "load", "load('x = 1')", .recipe,
    "recipe.lua:1: undeclared global 'load'. Recipes can't compile text; write a function, or a module and 'require' it."
  ),
  BadScript(
    "os", "os.exit()", .recipe,
    "recipe.lua:1: undeclared global 'os'. Recipes can't reach the system; 'nasrun --trust' opens io and os."),
  BadScript(
    "__gc", "setmetatable({}, {__gc = print})", .recipe,
    "recipe.lua:1: a metatable of a recipe can't have __gc. Use __close and a 'local x <close>' variable."),
  BadScript(
    "__mode", "setmetatable({}, {__mode = 'k'})", .recipe, "recipe.lua:1: a metatable of a recipe can't have __mode"),
  BadScript(
    "metatable of strings", "getmetatable('')", .recipe, "recipe.lua:1: the metatable of strings is not for recipes"),
  BadScript(
    "metatable of a library", "setmetatable(math, nil)", .recipe, "recipe.lua:1: cannot change a protected metatable"),
  BadScript(
    "address", "print(('%p'):format({}))", .recipe,
    "recipe.lua:1: string.format has no '%p' in a recipe. Addresses differ from run to run."),
  BadScript(
    "table as a key", "for k in pairs({[{}] = 1}) do end", .recipe,
    "recipe.lua:1: a table with a table as a key can't be traversed: expected numbers, strings and booleans as keys. Such keys have no order that is the same in every run; keep them in an array beside the table."
  ),
  BadScript(
    "dump", "string.dump(print)", .recipe,
    "recipe.lua:1: attempt to call a nil value (field 'dump'). "
      + "There is no function 'dump': check how it is spelt."),
]

struct BadScriptTests {
  @Test(.timeLimit(.minutes(1)), arguments: endless + pathological)
  func isEnded(_ script: BadScript) throws {
    let fault = try #require(try fault(script.text))
    #expect(fault.description == script.error)
    #expect(fault.code == script.code)
  }

  @Test(arguments: large + errors)
  func endsInAnError(_ script: BadScript) throws {
    let (host, _) = try makeHost { $0.secondsBetweenCalls = 20 }
    let fault = try #require(try fault(script.text, host))
    #expect(fault.description == script.error)
    #expect(fault.code == script.code)
  }

  @Test func anEmptyFileRuns() throws {
    #expect(try fault("") == nil)
    #expect(try fault("#!/usr/bin/env nasrun\n") == nil)
    #expect(try fault("\u{FEFF}#!/usr/bin/env nasrun\nlocal x = 1") == nil)
  }

  @Test func invalidUTF8IsNamed() throws {
    let (host, _) = try makeHost()
    #expect(
      throws: Fault(
        .recipe, "the text is not UTF-8", at: "recipe.lua:2", hint: "Save the file in the encoding UTF-8.")
    ) { try host.run([0x0A, 0x2D, 0x2D, 0xFF, 0x0A], chunkName: "recipe.lua") }
  }

  /// After any end the VM runs the next script.
  @Test func theVMStaysUsable() throws {
    let (host, lines) = try makeHost()
    for script in endless.prefix(3) + large + errors { _ = try fault(script.text, host) }
    try host.run("print('alive')", chunkName: "recipe.lua")
    #expect(lines.all == ["alive"])
  }
}
