-- The module `nas`: everything a recipe calls. Native functions come from `nas.core`; the rest is Lua, file by file,
-- on the same public functions that a recipe has.

local core = require "nas.core"
require "nas.declare"
require "nas.weight_names"
require "nas.read_only"
require "nas.decision_view"
local nas = core.public

--- A family of files: `nas.strategies.random` is the module "nas.strategies.random", loaded when it is first named.
local function family(name)
  return setmetatable({}, {
    __index = function(members, key)
      local module = name .. "." .. tostring(key)
      if not core.has_module(module) then
        nas.fail {
          message = "there is no " .. module,
          hint = core.suggest(tostring(key), core.modules_in(name)),
        }
      end
      local value = require(module)
      core.makers[value] = module
      if name == "nas.proxies" then
        core.register_value { name = module, type = "Proxy", doc = value.doc, source = value.source }
      end
      rawset(members, key, value)
      return value
    end,
  })
end

nas.declare = core.declare
core.makers = {}
nas.strategies = family "nas.strategies"
nas.evaluators = family "nas.evaluators"
nas.spaces = family "nas.spaces"
nas.proxies = family "nas.proxies"

nas.nn = require "nas.nn"
nas.stop = require "nas.stop"
nas.evaluator = require "nas.evaluator"
nas.proxy = require "nas.proxy"
nas.measures = require "nas.measures"
nas.search = require "nas.search"
nas.warm_start = require "nas.warm_start"
nas.latency_predictor = require "nas.latency_predictor"
nas.plot = require "nas.plot"
nas.relax = require "nas.relax"
nas.categories = require "nas.categories"
nas.early_stopping = require "nas.early_stopping"
nas.genotype = require "nas.genotype"

--- Makes the use of a name that isn't there an error with the nearest one that is.
local function close(name, members)
  setmetatable(members, {
    __index = function(_, key)
      local names = {}
      for known in pairs(members) do names[#names + 1] = known end
      nas.fail { message = ("%s has no '%s'"):format(name, tostring(key)), hint = core.suggest(tostring(key), names) }
    end,
  })
end

close("nas", nas)
for _, part in ipairs { "nn", "stop", "plot", "optim", "linalg", "genotype" } do close("nas." .. part, nas[part]) end

return nas
