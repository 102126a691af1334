import Testing

/// Searches by the library's strategies are the same for the same seed, and others for another.
@Suite struct StrategyTests {
  @Test(arguments: [
    "local_search { initial = 2 }", "local_search { improvement = \"best\" }", "reinforce { lr = 0.1 }",
    "lstm_controller { hidden = 4, layers = 1, batch = 2 }",
  ])
  func repeats(strategy: String) throws {
    let recipe = """
      local nas = require "nas"
      nas.search {
        space = nas.space {
          op = nas.oneof { "a", { size = nas.int(1, 9) } }, rate = nas.float(0, 1), pick = nas.manyof(2, { 1, 2, 3 }),
        },
        strategy = nas.strategies.\(strategy),
        evaluate = function(trial) return { accuracy = trial.arch.rate + trial.arch.pick[2] } end,
        stop = { trials = 12 },
      }
      """
    let first = try RecipeHarness().run(recipe), second = try RecipeHarness().run(recipe)
    #expect(first.fault == nil)
    #expect(first.exactJournal != nil && first.exactJournal == second.exactJournal)
    let other = try RecipeHarness(seed: 2).run(recipe)
    #expect(other.exactJournal != first.exactJournal)
  }
}
