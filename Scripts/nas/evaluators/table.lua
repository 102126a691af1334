-- The evaluator "table": results that are known already, looked up and not trained: tabular benchmarks.
-- Ying et al., "NAS-Bench-101", ICML 2019; Dong & Yang, "NAS-Bench-201", ICLR 2020.

local nas = require "nas"

--- The text that a table has for an architecture: what `key` makes of it, or how it prints.
local function key_of(arch, key)
  if key == nil then return tostring(arch) end
  local text = key(arch)
  if type(text) == "string" then return text end
  nas.fail { message = "nas.evaluators.table: wrong result of key", expected = "a text", got = type(text) }
end

--- The columns to read, by the metrics' names: as given, or all others of a row, where they are numbers.
local function read(row, metrics, others)
  local values = {}
  if metrics then
    for name, from in pairs(metrics) do values[name] = row[from] end
    return values
  end
  for name, value in pairs(row) do
    if not others[name] and type(value) == "number" then values[name] = value end
  end
  return values
end

--- Checks that the columns that are asked for are there, when the evaluator is made and not at the first trial.
local function check_columns(records, options)
  local wanted, known = {}, {}
  for _, columns in ipairs { options.decisions or { options.column }, options.metrics or {}, { options.cost } } do
    for _, name in pairs(columns) do wanted[#wanted + 1] = name end
  end
  for _, name in ipairs(records:columns()) do known[name] = true end
  for _, name in ipairs(wanted) do
    if not known[name] then
      nas.fail {
        message = ("nas.evaluators.table: '%s' has no column '%s'"):format(options.file, name),
        expected = "one of " .. table.concat(records:columns(), ", "),
      }
    end
  end
end

--- The positions of the rows in which every column of `decisions` has what the architecture decides.
local function rows_of(records, decisions, arch)
  local values, found = {}, nil
  for _, decision in ipairs(arch:decisions()) do values[decision.path] = tostring(decision.value) end
  for path, column in pairs(decisions) do
    local has, both = {}, {}
    for _, position in ipairs(records:find(column, values[path] or "")) do has[position] = true end
    for _, position in ipairs(found or records:find(column, values[path] or "")) do
      if has[position] then both[#both + 1] = position end
    end
    found = both
  end
  return found or {}
end

--- The row of an architecture: of a Lua table by its text; of a file, the one that has it.
local function finder(options)
  local rows, key, column, decisions = options.rows, options.key, options.column, options.decisions
  if rows then
    return function(arch) return rows[key_of(arch, key)] end
  end
  local records = nas.data.records(options.file)
  check_columns(records, options)
  return function(arch)
    local found = decisions and rows_of(records, decisions, arch) or records:find(column, key_of(arch, key))
    if #found > 1 then
      nas.fail {
        message = ("nas.evaluators.table: %d rows for one architecture"):format(#found),
        got = tostring(arch),
        hint = "Keep one row of each in the file.",
      }
    end
    return found[1] and records:row(found[1])
  end
end

return nas.declare("nas.evaluators.table", {
  doc = [[
Looks each architecture up in a table of known results; nothing is trained. `file` is a CSV file whose `column` holds
the architectures as they print (or as `key` writes them), or which has a column for each decision: decisions = {
["blocks[1].op"] = "op1" }. `rows` is a Lua table { [text] = { accuracy = 93.1 } } instead. `metrics` names the columns, { accuracy = "cifar10_valid" }; without it all columns of numbers are metrics. The
seconds in the column `cost` are what the trial counts as: stop = { cost = 12000 } ends a search as if it had trained.
An architecture that isn't there is a failed trial.]],
  source = "Ying et al., ICML 2019, section 5; Dong & Yang, ICLR 2020, section 5",
  options = {
    { "file", "string", optional = true, doc = "a CSV file, plain or gzip" },
    { "column", "string", default = "arch", doc = "of the file: where the architectures are" },
    { "decisions", "table", optional = true, doc = "of the file: decisions' paths → columns" },
    { "rows", "table", optional = true, doc = "the known results by architecture, in place of a file" },
    { "metrics", "table", optional = true, doc = "metrics' names → columns" },
    { "cost", "string", optional = true, doc = "the column of seconds" },
    { "key", "function", optional = true, doc = "function(arch) → text; tostring if left out" },
  },
  returns = "Evaluator",
}, function(options)
  if (options.file == nil) == (options.rows == nil) then
    nas.fail {
      message = "nas.evaluators.table needs one table",
      expected = "file = …, or rows = …",
      got = options.file and "both" or "none",
    }
  end
  local find, metrics, cost, others = finder(options), options.metrics, options.cost, { [options.column] = true }
  for _, column in pairs(options.decisions or {}) do others[column] = true end
  if cost then others[cost] = true end
  return nas.evaluator {
    run = function(trial)
      local row = find(trial.arch)
      if not row then nas.fail { message = "the table has no such architecture", got = tostring(trial.arch) } end
      if cost then
        if type(row[cost]) ~= "number" then
          nas.fail { message = ("the table has no cost in '%s'"):format(cost), got = tostring(trial.arch) }
        end
        trial:charge(row[cost])
      end
      return read(row, metrics, others)
    end,
  }
end)
