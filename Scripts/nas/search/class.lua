-- The class of `search` objects. Its methods are in the files beside this one, each about one idea.

local core = require "nas.core"

local methods = {}

local metatable = { __index = core.class_index(methods, "search", { "best", "constraints", "limits" }) }

core.declare_class(metatable, {
  name = "Search",
  object = "search",
  doc = "A search at work, as its strategy sees it.",
  fields = {
    { "space", "Space", doc = "draws from the search's own random stream" },
    { "rng", "Stream", doc = "the strategy's random stream" },
    { "history", "Trial[]", doc = "the trials that the strategy has got so far, in that order" },
    { "window", "integer", doc = "trials in flight at most" },
    { "start", "Architecture[]", doc = "those given by the option `start`: search:initial begins with them" },
    { "objectives", "table[]", doc = "{ name =, direction = } each, the primary one first" },
    { "name", "string", doc = "of the search" },
  },
})

return { methods = methods, metatable = metatable }
