import Foundation
import Testing

/// Training states are a cache: bounded, and nothing depends on them.
@Suite struct CheckpointTests {
  /// Four trainings of an epoch, then one more epoch of each, the last first.
  private func recipe(megabytes: Double) -> String {
    """
    local nas = require 'nas'
    local data = nas.data.open('shapes', { valid = 20, limit = 60, test_limit = 20 })
    local space = nas.space {
      width = nas.oneof { 4, 5, 6, 7 },
      build = function(arch, x, task)
        x = nas.nn.relu(nas.nn.batch_norm(nas.nn.conv2d(x, arch.width, { kernel = 3, stride = 2 })))
        return nas.nn.linear(nas.nn.global_avg_pool(x), task.classes)
      end,
    }
    nas.search {
      space = space, checkpoint_mb = \(megabytes),
      evaluate = nas.evaluators.train { data = data, batch = 10, schedule_epochs = 2 },
      strategy = function(search)
        local trials = search:map(space:iterate(), { epochs = 1 })
        for place = 4, 1, -1 do print(search:continue(trials[place], { epochs = 2 }).metrics.loss) end
      end,
    }
    """
  }

  @Test func whatIsGoneIsComputedAgainToTheSameBits() throws {
    let all = try RecipeHarness().run(recipe(megabytes: 1)), none = try RecipeHarness().run(recipe(megabytes: 0))
    #expect(all.fault == nil && none.fault == nil)
    #expect(all.printed.count == 4 && all.printed == none.printed)
    #expect(all.exactJournal == none.exactJournal)
    let again = "trained again to go on from it"
    #expect(all.notes.filter { $0.contains(again) }.isEmpty)
    #expect(none.notes.filter { $0.contains(again) }.count == 4)
  }

  /// A state takes some 2.3 kB and 1 kB of header, so that 7 kB hold two: the last is there; keeping what comes of it
  /// removes the one before.
  @Test func theBoundIsKept() throws {
    let some = try RecipeHarness().run(recipe(megabytes: 0.007))
    let all = try RecipeHarness().run(recipe(megabytes: 1))
    #expect(some.printed == all.printed)
    let again = some.notes.filter { $0.contains("trained again") }
    #expect((1...3).contains(again.count), "\(again)")
    #expect(!again.contains { $0.contains("trial 4 ") })
  }
}
