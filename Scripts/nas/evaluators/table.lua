-- The evaluator "table": results that are known already, looked up and not trained: tabular benchmarks.
-- Ying et al., "NAS-Bench-101", ICML 2019; Dong & Yang, "NAS-Bench-201", ICLR 2020.

local nas = require "nas"

--- The text that a table has for an architecture: what `key` makes of it, or how it prints.
local function key_of(arch, key)
  if key == nil then return tostring(arch) end
  local text = key(arch)
  if type(text) == "string" then return text end
  nas.fail {
    message = "nas.evaluators.table: wrong result of key",
    expected = "a text",
    got = type(text),
  }
end

--- The columns to read, by the metrics' names: as given, or all others of a row, where they are numbers.
local function read(row, metrics, cost, column)
  local values = {}
  if metrics then
    for name, from in pairs(metrics) do values[name] = row[from] end
    return values
  end
  for name, value in pairs(row) do
    if name ~= cost and name ~= column and type(value) == "number" then values[name] = value end
  end
  return values
end

--- Checks that the columns that are asked for are there, when the evaluator is made and not at the first trial.
local function check_columns(records, options)
  local wanted, known = { options.column, options.cost }, {}
  for _, name in pairs(options.metrics or {}) do wanted[#wanted + 1] = name end
  for _, name in ipairs(records:columns()) do known[name] = true end
  for _, name in pairs(wanted) do
    if not known[name] then
      nas.fail {
        message = ("nas.evaluators.table: '%s' has no column '%s'"):format(options.file, name),
        expected = "one of " .. table.concat(records:columns(), ", "),
      }
    end
  end
end

--- The row of an architecture: of a Lua table by its key; of a file, the one that has it in its column.
local function finder(options)
  local rows, column = options.rows, options.column
  if not options.file then
    return function(text) return rows[text] end
  end
  local records = nas.data.records(options.file)
  check_columns(records, options)
  return function(text)
    local found = records:find(column, text)
    if #found > 1 then
      nas.fail {
        message = ("nas.evaluators.table: %d rows for one architecture"):format(#found),
        got = text,
        hint = "Keep one row of each in the file.",
      }
    end
    return found[1] and records:row(found[1])
  end
end

return nas.declare("nas.evaluators.table", {
  doc = [[
Looks each architecture up in a table of known results; nothing is trained. `file` is a CSV file whose `column` holds
the architectures as they print (or as `key` writes them); `rows` is a Lua table { [text] = { accuracy = 93.1 } }
instead. `metrics` names the columns, { accuracy = "cifar10_valid" }; without it all columns of numbers are metrics. The
seconds in the column `cost` are what the trial counts as: stop = { cost = 12000 } ends a search as if it had trained.
An architecture that isn't there is a failed trial.]],
  source = "Ying et al., ICML 2019, section 5; Dong & Yang, ICLR 2020, section 5",
  options = {
    { "file", "string", optional = true, doc = "a CSV file, plain or gzip" },
    { "column", "string", default = "arch", doc = "of the file: where the architectures are" },
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
  local find, key, metrics, cost, column = finder(options), options.key, options.metrics, options.cost, options.column
  return nas.evaluator {
    run = function(trial)
      local text = key_of(trial.arch, key)
      local row = find(text)
      if not row then
        nas.fail { message = "the table has no such architecture", got = text }
      end
      if cost then
        if type(row[cost]) ~= "number" then
          nas.fail { message = ("the table has no cost in '%s'"):format(cost), got = text }
        end
        trial:charge(row[cost])
      end
      return read(row, metrics, cost, column)
    end,
  }
end)
