import Diagnostics
import LuaAPI
import Testing

/// Wrong calls and the exact words that they end with.
@Suite struct ArgumentTests {
  @Test(arguments: [
    (
      "nas.int(3)",
      "recipe.lua:2: nas.int: argument 2 ('high') is missing: expected an integer"
    ),
    (
      "nas.int(1, 'x')",
      "recipe.lua:2: nas.int: wrong argument 2 ('high'): expected an integer, got the text \"x\""
    ),
    (
      "nas.int(1, 2, { lgo = true })",
      "recipe.lua:2: nas.int: unknown option 'lgo'. Did you mean 'log'?"
    ),
    (
      "nas.int(1, 2, {}, 4)",
      "recipe.lua:2: nas.int: too many arguments: expected at most 3, got 4"
    ),
    (
      "nas.int(1, 2, { step = 0 })",
      "recipe.lua:2: nas.int: wrong option 'step': expected at least 1, got 0"
    ),
    (
      "nas.search { space = 3 }",
      "recipe.lua:2: nas.search: wrong option 'space': expected a Space, got 3. nas.space { … } and those of nas.spaces make one."
    ),
    (
      "nas.evaluators.train { epcohs = 3 }",
      "recipe.lua:2: nas.evaluators.train: unknown option 'epcohs'. Did you mean 'epochs'?"
    ),
    (
      "nas.strategies.regularised_evolution {}",
      "recipe.lua:2: there is no nas.strategies.regularised_evolution. Did you mean 'regularized_evolution'?"
    ),
    (
      "nas.space({ op = nas.oneof { 'a', 'b' } }):make { opp = 'a' }",
      "recipe.lua:2: space: no decision 'opp'. Did you mean 'op'?"
    ),
    (
      "nas.space({ op = nas.oneof { 'a', 'b' } }):make { op = 'c' }",
      "recipe.lua:2: space.op: not a value of this space: expected one of \"a\", \"b\", got \"c\". Did you mean 'a'?"
    ),
    (
      "nas.nn.relu(1)",
      "recipe.lua:2: nas.nn.relu was called outside of build. nas.nn makes networks inside a space's build function."
    ),
    (
      "nas.data.open('shpaes')",
      "recipe.lua:2: shpaes: no data set of this name and no such folder: expected 'shapes' or the path of a folder of IDX files, CIFAR files or images. Did you mean 'shapes'?"
    ),
  ])
  func wrongCallsSayWhatToDo(call: String, text: String) throws {
    let fault = try RecipeHarness().run("local nas = require 'nas'\nlocal x = " + call).fault
    #expect(fault?.description == text)
  }

  @Test func aMethodNeedsItsObject() throws {
    let fault = try RecipeHarness().run("local nas = require 'nas'\nnas.stream('a').integer(1, 2)").fault
    #expect(
      fault?.description
        == "recipe.lua:2: stream:integer: wrong object before ':': expected a Stream, got 1. Call it with a colon: stream:integer(…)."
    )
  }

  @Test func defaultsAreFilledInAndTyped() throws {
    let result = try RecipeHarness(settings: [("n", "7"), ("s", "x"), ("f", "0.5"), ("b", "false")]).run(
      """
      local nas = require 'nas'
      local args = nas.args { n = 3, s = 'a', f = 1.5, b = true, other = 1 }
      print(math.type(args.n), args.n, args.s, args.f, args.b, args.other)
      """)
    #expect(result.fault == nil)
    #expect(result.printed == ["integer\t7\tx\t0.5\tfalse\t1"])
  }

  @Test(arguments: [
    ("epcohs", "3", "the recipe has no setting 'epcohs'. Did you mean 'epochs'?"),
    ("epochs", "many", "wrong value for the setting 'epochs': expected a whole number, got 'many'"),
  ])
  func wrongSettingsAreUsageErrors(name: String, value: String, text: String) throws {
    let fault = try RecipeHarness(settings: [(name, value)]).run("local a = require('nas').args { epochs = 3 }").fault
    #expect(fault?.code == .usage)
    #expect(fault?.description == "recipe.lua:1: " + text)
  }
}
