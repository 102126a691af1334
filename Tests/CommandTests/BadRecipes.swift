import Testing

/// A recipe that must end with this exit status and exactly this text on standard error.
struct BadRecipe: Sendable, CustomTestStringConvertible {
  let name: String
  let text: String
  let status: Int32
  let error: String
  /// The limit between calls: short for what never ends, so that the test soon does.
  let seconds: String
  var testDescription: String { name }

  init(_ name: String, _ text: String, _ error: String, status: Int32 = 65, seconds: String = "30") {
    (self.name, self.text, self.status, self.error, self.seconds) = (name, text, status, error, seconds)
  }
}

extension BadRecipe {
  private static let tooLong = "the script ran for 0.3 s without calling an API function. Does a loop never end?"

  /// What would never end, or take all memory.
  static let endless = [
    BadRecipe("loop", "\nwhile true do end", "r.lua:2: " + tooLong, seconds: "0.3"),
    BadRecipe(
      "loop in pcall", "while true do pcall(function() while true do end end) end", "r.lua:1: " + tooLong,
      seconds: "0.3"),
    BadRecipe(
      "loop in xpcall", "while true do\n xpcall(function() while true do end end, print) end", "r.lua:2: " + tooLong,
      seconds: "0.3"),
    BadRecipe(
      "loop in a coroutine", "local co = coroutine.wrap(function()\n while true do end end)\nco()",
      "r.lua:2: " + tooLong, seconds: "0.3"),
    BadRecipe(
      "pattern", "local s = ('a'):rep(20000)\ns:find(('.-'):rep(2) .. 'b')", "r.lua:2: " + tooLong, seconds: "0.3"),
    BadRecipe(
      "loop in an evaluator", search(evaluate: "function(trial)\n  while true do end\nend"), "r.lua:6: " + tooLong,
      seconds: "0.3"),
    BadRecipe(
      "loop in a build", build("while true do end"), "r.lua:5: " + tooLong, seconds: "0.3"),
    BadRecipe("recursion", "local function f() return 1 + f() end\nf()", "r.lua:1: stack overflow"),
    BadRecipe(
      "long text", "local s = ('x'):rep(1e10)",
      "r.lua:1: the result of 'string.rep' is too long: expected at most the memory limit of 2147483648 bytes, "
        + "got 10000000000 copies of 1 bytes"),
  ]

  /// What Lua itself refuses, or the sandbox.
  static let language = [
    BadRecipe(
      "error({})", "error({})",
      "r.lua:1: an error without a text: expected a text, or a table with the field 'message', got a table without it"),
    BadRecipe(
      "error(nil)", "error(nil)",
      "r.lua:1: an error without a text: expected error(\"what went wrong\"), got error(nil)"),
    BadRecipe(
      "bytecode", "\u{1B}LuaT", "r.lua is bytecode: expected Lua source text. Run the source file instead."),
    BadRecipe("syntax on line 1", "local = 3", "r.lua:1: <name> expected near '='"),
    BadRecipe("global", "x = 1", "r.lua:1: assignment to the undeclared global 'x'. Write 'local x = …'."),
    BadRecipe(
      "misspelled global", "pritn('x')",
      "r.lua:1: undeclared global 'pritn'. Check the spelling, or write 'local pritn = …' before this line."),
    BadRecipe(
      "module that fails", "require 'broken'",
      "broken.lua:2: module 'broken': attempt to index a nil value (field 'x') (required at r.lua:1). "
        + "'x' has no value there: check how it is spelt, and that something was assigned to it before."),
    BadRecipe(
      "module with a syntax error", "\nrequire 'wrong'",
      "wrong.lua:1: module 'wrong': <name> expected near '=' (required at r.lua:2)"),
    BadRecipe(
      "module that is missing", "require 'brokn'",
      "r.lua:1: there is no module 'brokn' (looked in PLACE/brokn.lua, PLACE/brokn/init.lua, the embedded library). "
        + "Did you mean 'broken'?"),
  ]

  /// Misspelled names and wrong values.
  static let names = [
    BadRecipe(
      "option of nas.search", search("  strategyy = nas.strategies.random {},"),
      "r.lua:4: nas.search: unknown option 'strategyy'. Did you mean 'strategy'?"),
    BadRecipe(
      "option of the trainer", start + "nas.evaluators.train { epoch = 3 }",
      "r.lua:4: nas.evaluators.train: unknown option 'epoch'. Did you mean 'epochs'?"),
    BadRecipe(
      "option of a layer", build("return nn.linear(nn.conv2d(x, 4, { kernl = 3 }), 2)"),
      "r.lua:5: conv2d1: conv2d has no option 'kernl'. Did you mean 'kernel'?"),
    BadRecipe("decision", start + "space:make { opp = 'a' }", "r.lua:4: space: no decision 'opp'. Did you mean 'op'?"),
    BadRecipe(
      "value of a decision", start + "space:make { op = 'conv' }",
      "r.lua:4: space.op: not a value of this space: expected one of \"a\", \"b\", \"conv3\", got \"conv\". "
        + "Did you mean 'conv3'?"),
    BadRecipe(
      "strategy", start + "nas.strategies.randon {}",
      "r.lua:4: there is no nas.strategies.randon. Did you mean 'random'?"),
    BadRecipe(
      "stop rule", search("  stop = { trails = 3 },"), "r.lua:4: unknown stop rule 'trails'. Did you mean 'trials'?"),
    BadRecipe(
      "word of an option", search("  duplicates = 'reuze',"),
      "r.lua:4: nas.search: wrong option 'duplicates': expected one of reuse, rerun, forbid, got the text \"reuze\". "
        + "Did you mean 'reuse'?"),
    BadRecipe(
      "data set", start + "nas.data.open('shapse')",
      "r.lua:4: shapse: no data set of this name and no such folder: expected 'shapes' or the path of a folder of IDX "
        + "files, CIFAR files or images. Did you mean 'shapes'?", status: 66),
    BadRecipe(
      "function of nas", start + "nas.serach {}", "r.lua:4: nas has no 'serach'. Did you mean 'search'?"),
    BadRecipe(
      "layer", build("return nn.conv3d(x, 4)"), "r.lua:5: nas.nn has no 'conv3d'. Did you mean 'conv2d'?"),
    BadRecipe(
      "method of a space", start + "space:radnom()", "r.lua:4: a Space has no 'radnom'. Did you mean 'random'?"),
  ]

  /// Searches and builds that can't work.
  static let searches = [
    BadRecipe(
      "shapes that disagree",
      build(
        "return nn.scope('join', function()\n return nn.add(nn.conv2d(x, 3, { kernel = 3 }), nn.conv2d(x, 4, { kernel = 3 })) end)"
      ),
      "r.lua:6: join/add1: add: input 2 has another shape: expected [N, 2, 3, 3], got [N, 2, 3, 4]"),
    BadRecipe(
      "layer outside of build", start + "nas.nn.relu(1)",
      "r.lua:4: nas.nn.relu: wrong input: expected a Tensor, got 1. The values of a network are there only inside a "
        + "space's build function."),
    BadRecipe(
      "objective that nobody reports", search("  objectives = { { 'acuracy', 'max' } },"),
      "r.lua:4: the evaluator did not report the objective 'acuracy', and it can't be measured. "
        + "Did you mean 'accuracy'?"),
    BadRecipe(
      "strategy with an error", search("  strategy = function(search)\n    error('no way on')\n  end,"),
      "r.lua:6: no way on"),
    BadRecipe(
      "evaluator that always fails", search(evaluate: "function(trial)\n  error('the disk is on fire')\nend"),
      "r.lua:4: the first 5 trials of the search 'search1' all failed (r.lua:6: the disk is on fire). "
        + "Mend the cause and run the recipe again."),
    BadRecipe(
      "evaluator that raises nil", search(evaluate: "function(trial) error(nil) end"),
      "r.lua:4: the first 5 trials of the search 'search1' all failed (the evaluator raised an error without a text: "
        + "error(nil)). Mend the cause and run the recipe again."),
    BadRecipe(
      "evaluator without a result", search(evaluate: "function(trial) end"),
      "r.lua:4: wrong result of the evaluator: expected a table of metrics, got nil"),
    BadRecipe(
      "evaluator that remembers",
      "local calls = 0\n" + search(evaluate: "function() calls = calls + 1 return { accuracy = 1 } end"),
      "r.lua:5: the evaluator changed a variable that it closes over, so a resumed run could not repeat it: expected an "
        + "evaluator whose result depends on the trial alone. "
        + "Keep what it counts or remembers in `trial`, or name the variable in `depends`."),
    BadRecipe(
      "evaluator that requires", search(evaluate: "function() return require('fine').metrics end"),
      "r.lua:4: the first 5 trials of the search 'search1' all failed (r.lua:5: the module 'fine' is required inside a "
        + "trial, where a change of it would go unnoticed. Require it at the top of the recipe and use it here.). "
        + "Mend the cause and run the recipe again."),
    BadRecipe(
      "an architecture twice", search("  duplicates = 'forbid',"),
      "r.lua:4: the architecture was asked for before: got {\"op\":\"a\"}. Or search with duplicates = \"reuse\"."),
  ]

  private static let start = """
    local nas = require "nas"
    local nn = nas.nn
    local space = nas.space { op = nas.oneof { "a", "b", "conv3" } }

    """

  /// A search on line 4 with more options; the evaluator's text ends it.
  private static func search(
    _ options: String = "", evaluate: String = "function() return { accuracy = 1 } end"
  ) -> String {
    let strategy = options.contains("strategy") ? "" : "strategy = nas.strategies.random {}, "
    let stop = options.contains("stop") ? "" : "stop = { trials = 9 }, "
    let duplicates = options.contains("duplicates") ? "" : "duplicates = 'rerun', "
    return start + "nas.search { space = space, \(strategy)\(stop)\(duplicates)\n\(options) evaluate = \(evaluate) }\n"
  }

  /// A network of the small IDX files in `data`, made by a build function whose body is on line 5.
  private static func build(_ body: String) -> String {
    """
    local nas = require "nas"
    local nn = nas.nn
    local space = nas.space { op = nas.oneof { "a", "b" },
      build = function(arch, x, task)
    \(body)
      end }
    print(space:random():network(nas.data.open("data")))
    """
  }
}
