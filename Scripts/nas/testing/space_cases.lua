-- What the suite of spaces does with one. A case returns what is `wrong`, in words, or a `note`.

local core = require "nas.core"
local nas = require "nas"

local cases = {}

--- Calls fn(arch) with random architectures until it returns something.
local function each_drawn(space, count, fn)
  for _ = 1, count do
    local wrong = fn(space:random())
    if wrong then return { wrong = wrong } end
  end
  return {}
end

--- Whether an architecture is one of the space: what it says of itself makes it again.
local function is_of(space, arch) return space:make(arch:values()) == arch end

function cases.stays(space)
  return each_drawn(space, 100, function(arch)
    local child, mixed = space:mutate(arch), space:crossover(arch, space:random())
    if not is_of(space, arch) then return "space:random gave " .. tostring(arch) end
    if not is_of(space, child) then return ("space:mutate made %s of %s"):format(child, arch) end
    if child == arch and space:size() ~= 1 then return ("space:mutate left %s as it is"):format(arch) end
    if not is_of(space, mixed) then return "space:crossover gave " .. tostring(mixed) end
    local count = 0
    for near in space:neighbors(arch) do
      if near == arch or not is_of(space, near) then return ("%s has the neighbour %s"):format(arch, near) end
      count = count + 1
      if count == 20 then break end
    end
  end)
end

function cases.texts(space)
  local seen = {}
  return each_drawn(space, 100, function(arch)
    local text = tostring(arch)
    if seen[text] and seen[text] ~= arch then
      return ("%s and %s have the same text: %s"):format(seen[text]:json(), arch:json(), text)
    end
    seen[text] = arch
    local ok, again = pcall(function() return space:parse(text) end)
    if not ok then return ("space:parse refuses %s: %s"):format(text, tostring(again)) end
    if again ~= arch then return ("space:parse makes %s of %s"):format(again:json(), text) end
  end)
end

--- The value at a path such as `blocks[2].op`; nil where the architecture has none.
local function value_at(values, path)
  for key in path:gmatch("[^%.%[%]]+") do
    if type(values) ~= "table" then return nil end
    values = values[math.tointeger(tonumber(key)) or key]
  end
  return values
end

local function label(value) return type(value) == "string" and value or core.canonical(value) end

--- The decisions for one of several plain values, with their options by label.
local function plain_decisions(space)
  local found = {}
  for _, decision in ipairs(space:decisions()) do
    if decision.kind == "oneof" and not decision.path:find("*", 1, true) then found[#found + 1] = decision end
  end
  return found
end

function cases.options(space)
  local decisions, seen = plain_decisions(space), {}
  for _ = 1, 2000 do
    local values = space:random():values()
    for index, decision in ipairs(decisions) do
      local value = value_at(values, decision.path)
      if type(value) == "table" then seen[index] = true end -- options with decisions of their own have no labels
      if value ~= nil and seen[index] ~= true then
        seen[index] = seen[index] or {}
        seen[index][label(value)] = true
      end
    end
  end
  for index, decision in ipairs(decisions) do
    for _, option in ipairs(decision.options) do
      if seen[index] ~= true and not (seen[index] or {})[option] then
        return { wrong = ("%s is never %s in 2000 draws"):format(decision.path, option) }
      end
    end
  end
  return {}
end

function cases.size(space)
  local size = space:size()
  if not size or size > 20000 then return {} end
  local count, seen = 0, {}
  for arch in space:iterate() do
    count = count + 1
    if seen[arch] then return { wrong = "space:iterate gives twice " .. tostring(arch) } end
    seen[arch] = true
  end
  if count > size or count == 0 then
    return { wrong = ("space:size() is %d and space:iterate() gives %d"):format(size, count) }
  end
  return {}
end

-- MARK: networks

local function network(arch, data) return nas.network(arch, { data = data }) end

function cases.builds(space, _, _, some_data)
  local data = some_data()
  return each_drawn(space, 30, function(arch)
    local ok, err = pcall(network, arch, data)
    if not ok then return ("%s: %s"):format(arch, tostring(err)) end
  end)
end

--- The digests of networks that are built in two orders.
function cases.digests(space, _, _, some_data)
  local data = some_data()
  local archs, digests = {}, {}
  for index = 1, 12 do archs[index] = space:random() end
  for index = #archs, 1, -1 do digests[index] = network(archs[index], data).digest end
  for index, arch in ipairs(archs) do
    if network(arch, data).digest ~= digests[index] then
      return { wrong = ("%s gives one network when it is built first, and another later"):format(arch) }
    end
  end
  return { digests = digests, first = tostring(archs[1]) }
end

function cases.costs(space, _, _, some_data)
  local data = some_data()
  return each_drawn(space, 30, function(arch)
    local built = network(arch, data)
    if built.params <= 0 then return ("%s has %d parameters"):format(arch, built.params) end
    if built.macs <= 0 then return ("%s has %d multiply-accumulates"):format(arch, built.macs) end
  end)
end

local function is_finite(number) return number == number and math.abs(number) ~= math.huge end

function cases.learns(space, _, _, some_data)
  local data = some_data()
  return each_drawn(space, 3, function(arch)
    local built = network(arch, data)
    built:fit { data = data, epochs = 1, batch = 16, lr = 0.01 }
    local loss = built:evaluate(data).loss
    if not is_finite(loss) then return ("%s: the loss is %g after an epoch"):format(arch, loss) end
  end)
end

function cases.shares(space, _, _, some_data)
  local data = some_data()
  local weights, count = nas.weights(space, { data = data }), 0
  for batch in data:batches { size = 16 } do
    local arch = space:random()
    local loss = weights:step(arch, batch, { lr = 0.01 })
    if not is_finite(loss) then return { wrong = ("%s: the loss is %g after %d steps"):format(arch, loss, count) } end
    count = count + 1
    if count == 4 then break end
  end
  return {}
end

function cases.relaxes(space, _, _, some_data)
  local data = some_data()
  local ok, err = pcall(function() return nas.relax(space, { data = data }) end)
  return ok and {} or { note = tostring(err) }
end

--- Decisions that change nothing in the network: for training alone, or forgotten in build.
function cases.matters(space, _, _, some_data)
  local data = some_data()
  for _, decision in ipairs(plain_decisions(space)) do
    local tried, matters = 0, false
    for _ = 1, 12 do
      local arch = space:random()
      local value = value_at(arch:values(), decision.path)
      for _, option in ipairs(decision.options) do
        if value ~= nil and type(value) ~= "table" and label(value) ~= option and not matters then
          local ok, other = pcall(function()
            return arch:with(decision.path, type(value) == "number" and tonumber(option) or option)
          end)
          if ok then
            tried = tried + 1
            matters = network(arch, data).digest ~= network(other, data).digest
          end
        end
      end
      if matters then break end
    end
    if tried > 0 and not matters then return { note = ("%s changes nothing in the network"):format(decision.path) } end
  end
  return {}
end

return cases
