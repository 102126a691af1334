-- What a file returned, made ready for the suite of its kind; or an error that says what it should have returned.

local core = require "nas.core"
local nas = require "nas"

--- What each kind may be: how to know it, and how to say it.
local kinds = {
  strategy = {
    is = function(value) return type(value) == "function" or type(value) == "table" and value.ask ~= nil end,
    wanted = "a strategy: function(search), or a table with ask and tell",
    example = "return function(search) … end",
  },
  space = {
    is = function(value)
      return type(value) == "userdata" and (pcall(function() return value:decisions() end))
    end,
    wanted = "a space, as nas.space makes one",
    example = "return nas.space { … }",
  },
  proxy = {
    is = function(value) return type(value) == "table" and type(value.score) == "function" end,
    wanted = "a proxy, as nas.proxy makes one",
    example = "return nas.proxy { name = …, score = … }",
  },
  evaluator = {
    is = function(value) return type(value) == "function" or type(value) == "table" and value.is_evaluator == true end,
    wanted = "an evaluator: function(trial), or what nas.evaluator makes",
    example = "return nas.evaluator { data = …, run = function(trial) … end }",
  },
}

local function wrong(kind, got)
  core.fail {
    message = ("the file returns no %s"):format(kind),
    expected = kinds[kind].wanted .. ", or a function declared with nas.declare that makes one",
    got = got,
    hint = ("End the file with: %s"):format(kinds[kind].example),
  }
end

--- Whether a function is declared with `nas.declare` and makes things of options.
local function is_maker(value)
  local declaration = core.declared[value]
  return declaration ~= nil and (declaration.options ~= nil or #declaration == 0)
end

--- What a maker makes of the options; a maker that needs data gets some.
local function make(maker, options, data)
  local given = {}
  for name, value in pairs(options) do given[name] = value end
  for _, option in ipairs(core.declared[maker].options or {}) do
    if option[1] == "data" and given.data == nil then given.data = data() end
  end
  return maker(given)
end

--- The thing of that kind that a file returned; the space that it is for, if the file says so (it may return
--- { strategy = …, space = … } and the like); a function that gives data; one that makes another such thing, if the
--- file can.
return function(kind, options, value)
  local space, data
  if type(value) == "table" and not kinds[kind].is(value) and value[kind] ~= nil then
    value, space, data = value[kind], value.space, value.data
  end
  local function some_data()
    data = data or nas.data.open("shapes", { limit = 80, valid = 16, test_limit = 16 })
    return data
  end
  if value == nil or value == true then wrong(kind, "nothing") end
  local again
  if is_maker(value) then
    local maker = value
    again = function() return make(maker, options, some_data) end
    value = again()
  elseif next(options) ~= nil then
    core.fail {
      message = ("the %s takes no options"):format(kind),
      expected = "a function declared with nas.declare, which says what it takes",
      got = "--set with " .. next(options),
    }
  end
  if not kinds[kind].is(value) then wrong(kind, core.show(value)) end
  return value, space, some_data, again
end
