-- `nas.plot`: figures in the terminal, as text.

local core = require "nas.core"
local comparing = require "nas.search.comparing"
local plot = {}

local width, height = 56, 14

--- The least and the greatest of some numbers, never equal.
local function range(values)
  local low, high = math.huge, -math.huge
  for _, value in ipairs(values) do low, high = math.min(low, value), math.max(high, value) end
  if low == high then low, high = low - 0.5, high + 0.5 end
  return low, high
end

local function place(value, low, high, cells)
  return math.floor((value - low) / (high - low) * (cells - 1) + 0.5) + 1
end

--- An empty grid of characters.
local function grid()
  local rows = {}
  for row = 1, height do
    rows[row] = {}
    for column = 1, width do rows[row][column] = " " end
  end
  return rows
end

plot.pareto = core.declare("nas.plot.pareto", {
  doc = "Draws the trials of a search in the terminal, `x` against `y`: `●` on the Pareto front, `·` elsewhere, then lists the front.",
  { "result", "Result", doc = "of nas.search" },
  { "x", "string", doc = "a metric, across" },
  { "y", "string", doc = "a metric, upwards" },
  returns = "nothing",
}, function(result, x, y)
  local trials, xs, ys = {}, {}, {}
  for _, trial in ipairs(result.trials) do
    local a, b = trial.metrics[x], trial.metrics[y]
    if not trial.failed and a and b and a == a and b == b and math.abs(a) < math.huge and math.abs(b) < math.huge then
      trials[#trials + 1], xs[#xs + 1], ys[#ys + 1] = trial, a, b
    end
  end
  if #trials == 0 then
    print(("nas.plot.pareto: no trial has both %s and %s"):format(x, y))
    return
  end
  local axes = { comparing.objective(result.search, x), comparing.objective(result.search, y) }
  local front = core.pareto_front(trials, axes)
  local on_front = {}
  for _, index in ipairs(front) do on_front[index] = true end

  local left, right = range(xs)
  local bottom, top = range(ys)
  local rows = grid()
  for pass = 1, 2 do
    for index in ipairs(trials) do
      if (pass == 2) == (on_front[index] or false) then
        local row = height + 1 - place(ys[index], bottom, top, height)
        rows[row][place(xs[index], left, right, width)] = pass == 2 and "●" or "·"
      end
    end
  end

  print(("%s against %s: %d trials, %d on the Pareto front (●)"):format(y, x, #trials, #front))
  for row = 1, height do
    local label = row == 1 and top or row == height and bottom or nil
    print(("%10s │%s"):format(label and core.format_metric(y, label) or "", table.concat(rows[row])))
  end
  local low, high = core.format_metric(x, left), core.format_metric(x, right)
  print((" "):rep(11) .. "└" .. ("─"):rep(width))
  print((" "):rep(12) .. low .. (" "):rep(math.max(1, width - #low - #high)) .. high .. "  " .. x)
  table.sort(front, function(a, b) return xs[a] < xs[b] end)
  for _, index in ipairs(front) do print("  " .. tostring(trials[index])) end
end)

return plot
