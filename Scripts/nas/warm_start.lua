-- `nas.warm_start`: begins a search with the architectures that a zero-cost proxy likes best.

local core = require "nas.core"

--- The proxy by its name, or as it is.
local function proxy_of(given)
  if type(given) == "string" then return core.public.proxies[given] end
  return given
end

return core.declare("nas.warm_start", {
  doc = [[
For `nas.search { start = nas.warm_start { … } }`: scores `sample` random architectures of the search's space by a proxy
and begins with the `keep` best. The scores are a search of their own in the run, named `<search>_start`.]],
  source = "Abdelfattah et al., ICLR 2021, section 4 (warm-up)",
  options = {
    { "proxy", "string|table", doc = "one of nas.proxies by its name, or what nas.proxy returns" },
    { "data", "Data", doc = "from nas.data.open" },
    { "sample", "integer", min = 1, default = 100, doc = "random architectures scored" },
    { "keep", "integer", min = 1, default = 10, doc = "of them, those that the search begins with" },
    { "batch", "integer", min = 2, default = 64, doc = "images per batch of the proxy" },
  },
  returns = "table # what nas.search takes as `start`",
}, function(options)
  local proxy = proxy_of(options.proxy)
  local evaluate = core.public.evaluators.proxy { proxies = { proxy }, data = options.data, batch = options.batch }
  return {
    is_warm_start = true,
    run = function(search)
      local scores = core.run_search {
        name = search.name .. "_start", is_part = true, space = search.space, evaluate = evaluate,
        strategy = core.public.strategies.random {}, stop = { trials = options.sample },
        objectives = { { proxy.name, proxy.direction } },
        window = 1, duplicates = "reuse", start = {}, constraints = {}, limits = {}, checkpoint_mb = 0,
      }
      return scores:top(options.keep)
    end,
  }
end)
