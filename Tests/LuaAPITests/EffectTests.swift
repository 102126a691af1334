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

  /// That a trial reached a limit is seen, not decided by its content: it is in no exact journal.
  @Test func aLimitIsNoPartOfTheExactJournal() throws {
    func result(_ seconds: Double) throws -> RecipeHarness.Result {
      try RecipeHarness().run(
        """
        local nas = require 'nas'
        local space = nas.space { a = nas.int(1, 5) }
        local result = nas.search {
          space = space, strategy = nas.strategies.listed { space:make { a = 2 }, space:make { a = 4 } },
          limits = { seconds = \(seconds) },
          evaluate = function(trial)
            while trial.arch.a == 4 do end
            return { accuracy = trial.arch.a }
          end,
        }
        print(result.trials[2].failed)
        """)
    }
    let short = try result(0.1), long = try result(0.2)
    #expect(short.printed == ["over its limit of 0.1 seconds"] && long.printed == ["over its limit of 0.2 seconds"])
    let journal = try #require(short.exactJournal)
    #expect(journal == long.exactJournal)
    #expect(!journal.contains("limit"))
    #expect(journal.contains(#""trial":2"#))
  }

  /// Constraints are judged by the recipe that runs: they are in no key, but what they measure is.
  @Test func boundsAreNoPartOfATrialsKey() throws {
    let result = try RecipeHarness().run(
      """
      local nas = require 'nas'
      local space = nas.space { a = nas.int(1, 5) }
      for _, most in ipairs { 3, 1 } do
        local result = nas.search {
          space = space, strategy = nas.strategies.listed { space:make { a = 2 } }, constraints = { size = { max = most } },
          evaluate = function(trial)
            print('paid')
            return { accuracy = trial.arch.a, size = trial.arch.a }
          end,
        }
        print(result.trials[1].feasible)
      end
      """)
    #expect(result.fault == nil)
    #expect(result.printed == ["paid", "true", "false"])
    #expect(result.notes.contains("warning: no trial of the search 'search2' keeps the constraints"))
  }

  @Test func aStartThatIsNotReadIsTold() throws {
    let result = try RecipeHarness().run(
      """
      local nas = require 'nas'
      local space = nas.space { a = nas.int(1, 5) }
      local function search(strategy, start)
        return nas.search {
          space = space, strategy = strategy, start = start, stop = { trials = 2 },
          evaluate = function(trial) return { accuracy = trial.arch.a } end,
        }
      end
      local given = { space:make { a = 2 } }
      search(nas.strategies.listed { space:make { a = 3 } }, given)
      search(nas.strategies.regularized_evolution { population = 2, sample = 1 }, given)
      search(nas.strategies.listed { space:make { a = 4 } })
      """)
    #expect(result.fault == nil)
    #expect(
      result.notes.filter { $0.hasPrefix("warning: ") } == [
        "warning: the strategy of the search 'search1' doesn't begin with the architectures of `start`: "
          + "search:initial(n) gives them"
      ])
  }
}
