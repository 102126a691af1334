/// What everybody writes wrong in their first half hour.
extension BadRecipe {
  static let slips = [
    BadRecipe(
      "no require", "local data = nas.data.open('shapes')",
      "r.lua:1: undeclared global 'nas'. Begin the recipe with: local nas = require \"nas\"."),
    BadRecipe(
      "no nn", "local nas = require 'nas'\nlocal x = nn.relu(3)",
      "r.lua:2: undeclared global 'nn'. Write 'local nn = nas.nn' below 'local nas = require \"nas\"'."),
    BadRecipe(
      "a dot for a colon", slipStart + "space.random()",
      "r.lua:4: space:random: wrong object before ':': expected a Space, got nothing. "
        + "Call it with a colon: space:random(…)."),
    BadRecipe(
      "a dot in a strategy", strategy("search.evaluate(search.space:random())"),
      "r.lua:5: search:evaluate: wrong object before ':': expected a Search, got an Architecture. "
        + "Call it with a colon: search:evaluate(…)."),
    BadRecipe(
      "a method that isn't there", strategy("search:evalute(search.space:random())"),
      "r.lua:5: a search has no 'evalute'. Did you mean 'evaluate'?"),
    BadRecipe(
      "the best of nothing",
      strategy("local best\nlocal trial = search:evaluate(search.space:random())\nprint(best.arch)"),
      "r.lua:7: attempt to index a nil value (local 'best'). 'best' has no value there: check how it is spelt, and that "
        + "something was assigned to it before."),
    BadRecipe(
      "a misspelt metric",
      strategy("local trial = search:evaluate(search.space:random())\nif trial.metrics.acuracy > 3 then return end"),
      "r.lua:6: attempt to compare number with nil. There is no metric 'acuracy'; there is accuracy."),
    BadRecipe(
      "a strategy that was called",
      slipStart + "local function climb(search)\nsearch:evaluate(search.space:random())\nend\n"
        + "nas.search { space = space, strategy = climb(), evaluate = evaluate }",
      "r.lua:5: attempt to index a nil value (local 'search'). 'search' has no value there. A function of a search is "
        + "given to nas.search without a call: strategy = f, not f()."),
    BadRecipe(
      "a strategy's name", slipStart + "nas.search { space = space, strategy = 'grid', evaluate = evaluate }",
      "r.lua:4: nas.search: wrong option 'strategy': expected a function or a table, got the text \"grid\". "
        + "Write nas.strategies.grid { … } for it."),
    BadRecipe(
      "an evaluator that returns nothing",
      slipStart + "nas.search { space = space, strategy = nas.strategies.grid {}, evaluate = function() end }",
      "r.lua:4: wrong result of the evaluator: expected a table of metrics, got nil"),
    BadRecipe(
      "a metric of the trial itself", strategy("print(search:evaluate(search.space:random()).accuracy)"),
      "r.lua:5: a trial has no 'accuracy'. Did you mean 'trial.metrics.accuracy'?"),
    BadRecipe(
      "a trial for its architecture",
      strategy("local trial = search:evaluate(search.space:random())\nsearch.space:mutate(trial)"),
      "r.lua:6: space:mutate: wrong argument 1 ('arch'): expected an Architecture, got a Trial. That of a trial is "
        + "trial.arch."),
    BadRecipe(
      "a space that wasn't made", slipStart + "nas.search { space = nas.spaces.nasbench201, \(rest) }",
      "r.lua:4: nas.search: wrong option 'space': expected a Space, got a function. Call the function, and give what it "
        + "returns."),
    BadRecipe(
      "no space", slipStart + "nas.search { \(rest) }",
      "r.lua:4: nas.search: option 'space' is missing: expected a Space. nas.space { … } and those of nas.spaces make "
        + "one."),
    BadRecipe(
      "arguments for options", slipStart + "nas.search(space, nas.strategies.random {}, evaluate)",
      "r.lua:4: nas.search: too many arguments: expected at most 1, got 3. It takes named options: nas.search { … }."),
    BadRecipe(
      "objectives by name", slipStart + "nas.search { space = space, \(rest), objectives = { accuracy = 'max' } }",
      "r.lua:4: nas.search needs a list of objectives: expected objectives = { { \"accuracy\", \"max\" } }, got a table "
        + "with names"),
    BadRecipe(
      "best without a call",
      slipStart + "local result = nas.search { space = space, \(rest) }\nprint(result.best.arch)",
      "r.lua:5: attempt to index a function value (field 'best'). 'best' is a function: call it, and index what it "
        + "returns."),
    BadRecipe(
      "the name of data", slipStart + "nas.evaluators.train { data = 'shapes' }",
      "r.lua:4: nas.evaluators.train: wrong option 'data': expected Data, got the text \"shapes\". "
        + "nas.data.open(…) opens them."),
    BadRecipe(
      "a misspelt setting", "local args = require('nas').args { epochs = 3 }\nfor i = 1, args.epoch do print(i) end",
      "r.lua:2: bad 'for' limit (number expected, got nil). A variable, field or metric that isn't there is nil: check "
        + "how it is spelt."),
    BadRecipe(
      "a misspelt decision in build",
      """
      local nas = require "nas"
      local space = nas.space { width = nas.oneof { 4, 8 }, build = function(arch, x, task)
        return nas.nn.conv2d(x, arch.widht, { kernel = 3 })
      end }
      space:random():cost { input = { 8, 8, 3 }, classes = 2 }
      """,
      "r.lua:3: no decision 'widht': expected one of width. Did you mean 'width'?"),
  ]

  private static let slipStart = """
    local nas = require "nas"
    local space = nas.space { n = nas.int(1, 9) }
    local function evaluate(trial) return { accuracy = trial.arch.n } end

    """

  /// The options of a search besides its space.
  private static let rest = "strategy = nas.strategies.random {}, evaluate = evaluate, stop = { trials = 2 }"

  /// A search whose strategy begins on line 5.
  private static func strategy(_ body: String) -> String {
    slipStart + "nas.search { space = space, evaluate = evaluate, strategy = function(search)\n\(body)\nend }\n"
  }
}
