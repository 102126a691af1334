-- The strategies, spaces, proxies and evaluators of the library pass their own suites.

local test = require "nas.test"

--- Runs a suite; nothing may fail. `notes`: names of checks that may have something to note.
local function passes(kind, module, options, notes)
  it(("%s passes"):format(module), function()
    for _, result in ipairs(test.conformance(kind, module, options)) do
      local is_noted = result.outcome == "note" and notes[result.name]
      if result.outcome ~= "passed" and not is_noted then
        error(("%s: %s: expected %s, got %s"):format(result.outcome, result.name, result.expected, result.got))
      end
    end
  end)
end

describe("the strategy", function()
  local opinions = { ["is better than random search"] = true, ["follows the seed"] = true }
  passes("strategy", "nas.strategies.random", {}, { ["is better than random search"] = true })
  passes("strategy", "nas.strategies.regularized_evolution", {}, {})
  passes("strategy", "nas.strategies.local_search", {}, opinions)
  passes("strategy", "nas.strategies.reinforce", {}, opinions)
  passes("strategy", "nas.strategies.lstm_controller", { options = { hidden = 8, layers = 1 } }, opinions)
  -- It goes through a space in order: of a large one, in few trials, it sees a corner.
  local in_order = { "minimises where less is better", "keeps apart what is in flight", "is better than random search" }
  passes("strategy", "nas.strategies.grid", { options = { levels = 3 }, skip = in_order }, opinions)
  passes("strategy", "subjects.asked", {}, {})
  passes("strategy", "subjects.listed", {}, {
    ["is better than random search"] = true, ["takes the results that it asks for"] = true,
  })
end)

describe("the space", function()
  passes("space", "subjects.nasbench201", {}, {})
  passes("space", "subjects.mobile", {}, { ["can be relaxed"] = true })
  passes("space", "nas.spaces.darts", { options = { channels = 4, cells = 3 } }, { ["can be relaxed"] = true })
end)

describe("the proxy", function()
  local opinions = { ["depends on the batch"] = true, ["prefers convolutions to skip connections"] = true }
  local skips = {
    -- In networks of this size every input has a linear region of its own.
    linear_regions = { "tells networks apart" },
    -- The logarithm of what a cell without a path makes of a perturbation: nothing.
    zen = { "gives finite numbers" },
  }
  for _, name in ipairs {
    "epe_nas", "fisher", "flops", "grad_norm", "grasp", "jacob_cov", "l2_norm", "linear_regions", "logsynflow",
    "naswot", "ntk_cond", "params", "plain", "snip", "synflow", "synflow_bn", "zen", "zico",
  } do
    passes("proxy", "nas.proxies." .. name, { skip = skips[name] }, opinions)
  end
end)

describe("the evaluator", function()
  passes("evaluator", "nas.evaluators.train", { options = { epochs = 2, batch = 32 } }, {})
  passes("evaluator", "nas.evaluators.cross_validation", { options = { epochs = 1, batch = 32, folds = 2 } },
    { ["keeps to the budget"] = true })
  passes("evaluator", "subjects.scores", {}, { ["keeps to the budget"] = true })
end)
