-- The class of `search` objects. Its methods are in the files beside this one, each about one idea.

local core = require "nas.core"

local methods = {}

return {
  methods = methods,
  metatable = { __index = core.class_index(methods, "search", { "constraints", "limits", "stop_rule" }) },
}
