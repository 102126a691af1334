-- `nas.nn`: the operations of the op table are native; what takes a function (scopes, choices) is here.

local core = require "nas.core"
local nn = core.nn

--- Closes the scope opened last, also after an error in it.
local scope_end = setmetatable({}, { __close = function() core.pop_scope() end })

nn.scope = core.declare("nas.nn.scope", {
  doc = "Runs `fn` with `name` added to the path of every parameter made inside, and returns what it returns.",
  context = "build or model",
  { "name", "string|integer", doc = "letters, digits, `_` and `-`" },
  { "fn", "function", doc = "no arguments" },
  returns = "any # what fn returns",
  example = 'x = nn.scope("stem", function() return nn.relu(nn.conv2d(x, 16, { kernel = 3 })) end)',
}, function(name, fn)
  core.push_scope(tostring(name))
  local _ <close> = scope_end
  return fn()
end)

--- The branch of an option; an error names an option without one.
local function branch_of(branches, option, consumer)
  local branch = branches[option]
  if branch ~= nil then return branch end
  local known = {}
  for key in pairs(branches) do known[#known + 1] = tostring(key) end
  core.fail {
    message = consumer .. " has no branch for this option",
    expected = "one of " .. table.concat(known, ", "),
    got = tostring(option),
    hint = "Give every option of the decision a branch.",
  }
end

--- DARTS' mixture: the sum of all branches, each times the softmax of its mixing weight (Liu et al. 2019, eq. 2).
function core.softmax_mixture(decision, branches, x)
  local values = {}
  for i, branch in ipairs(branches) do values[i] = branch(x) end
  return nn.weighted_sum(nn.softmax(decision.alpha), values)
end

--- The branches of an open decision: kept as a choice, or mixed where the space is relaxed.
local function open_branches(handle, consumer, branches, x)
  local calls, options = {}, core.open_options(handle, consumer)
  for i, option in ipairs(options) do
    local branch = branch_of(branches, option, consumer)
    calls[i] = function(input) return nn.scope(tostring(option), function() return branch(input) end) end
  end
  local mix = core.mixture()
  if mix then
    local decision = {
      path = core.open_path(handle),
      options = options,
      picks = core.open_picks(handle),
      alpha = core.mixing_weights(handle),
    }
    return core.mixed(handle, (mix(decision, calls, x)))
  end
  local values = {}
  for i, call in ipairs(calls) do values[i] = call(x) end
  return core.choose(handle, values)
end

nn.choice = core.declare("nas.nn.choice", {
  doc = [[
Runs the branch that a decision chose and returns its value. The branch's name becomes part of the parameter paths
inside it. Under shared weights the choice stays in the network; in a relaxed space the branches are mixed.]],
  context = "build",
  { "value", "any", doc = "what the build read from a `oneof` decision" },
  { "branches", "table", doc = "a function for each option of the decision" },
  { "x", "any", optional = true, doc = "given to the branches; what a mixture may give them in its place" },
  returns = "any # what the branch returns",
  example = [[
x = nn.choice(arch.op, {
  conv3 = function() return nn.conv2d(x, x.channels, { kernel = 3 }) end,
  skip = function() return x end,
})]],
}, function(value, branches, x)
  if core.is_open(value) then return open_branches(value, "nn.choice", branches, x) end
  local branch = branch_of(branches, value, "nn.choice")
  return nn.scope(tostring(value), function() return branch(x) end)
end)

nn.pick = core.declare("nas.nn.pick", {
  doc = [[
Runs the branches that a decision chose and returns their sum: for edges, as "two of the earlier nodes". As with
nn.choice, a branch's name becomes part of the parameter paths inside it, the choice stays in the network under shared
weights, and all branches are mixed in a relaxed space.]],
  context = "build",
  source = "Liu et al. 2019 (DARTS), section 2.3; Xu et al. 2020 (PC-DARTS), section 3.3",
  { "values", "any", doc = "what the build read from a `manyof` decision" },
  { "branches", "table", doc = "a function for each option of the decision" },
  { "x", "any", optional = true, doc = "given to the branches; what a mixture may give them in its place" },
  returns = "Value",
}, function(values, branches, x)
  if core.is_open(values) then return open_branches(values, "nn.pick", branches, x) end
  if type(values) ~= "table" or #values == 0 then
    core.fail {
      message = "nn.pick needs a list of options",
      expected = "what build read from a nas.manyof",
      got = type(values) == "table" and "an empty table" or tostring(values),
      hint = "nn.choice takes the value of a nas.oneof.",
    }
  end
  local picked = {}
  for i, option in ipairs(values) do
    local branch = branch_of(branches, option, "nn.pick")
    picked[i] = nn.scope(tostring(option), function() return branch(x) end)
  end
  return core.picked(picked)
end)

local modules = { "split", "top_k", "mbconv", "attention", "transformer_block", "lstm_cell", "lstm_step" }
for _, name in ipairs(modules) do nn[name] = require("nas.nn." .. name) end

return nn
