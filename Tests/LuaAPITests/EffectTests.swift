import Testing

/// What is paid for, and how often.
@Suite struct EffectTests {
  @Test func aSecondSearchTakesEqualTrialsFromTheFirst() throws {
    let result = try RecipeHarness().run(
      """
      local nas = require 'nas'
      local space = nas.space { a = nas.int(1, 5) }
      local archs = { space:make { a = 2 }, space:make { a = 4 } }
      local function evaluate(trial)
        print('paid ' .. trial.arch.a)
        return { accuracy = trial.arch.a }
      end
      for _, name in ipairs { 'one', 'two' } do
        local result = nas.search {
          name = name, space = space, strategy = nas.strategies.listed(archs), evaluate = evaluate,
        }
        print(name, #result.trials, result:best().metrics.accuracy)
      end
      """)
    #expect(result.fault == nil)
    #expect(result.printed == ["paid 2", "paid 4", "one\t2\t4.0", "two\t2\t4.0"])
    let journal = try #require(result.exactJournal)
    #expect(journal.contains("\"search\":\"two\"") || journal.contains("two"))
  }
}
