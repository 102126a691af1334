-- When a learning curve stops rising. Prechelt, "Early Stopping -- But When?", Neural Networks: Tricks of the Trade,
-- 1998: the successive-strips criterion UP.

local nas = require "nas.core".public

return nas.declare("nas.early_stopping", {
  doc = [[
Watches one learning curve: the function that it returns is told the metric after each epoch and returns true once
`patience` epochs in a row have not bettered the best by more than `min_delta`.]],
  source = "Prechelt 1998, section 2.2.1",
  options = {
    { "patience", "integer", min = 1, default = 5, doc = "epochs without improvement" },
    { "min_delta", "number", min = 0, default = 0, doc = "an improvement is more than this, in units of the metric" },
    { "grace", "integer", min = 0, default = 0, doc = "epochs at the start that don't count" },
    { "direction", "string", one_of = { "max", "min" }, default = "max", doc = "which values are better" },
  },
  example = 'local early_stopping = require "nas.early_stopping"',
  returns = "fun(epoch: integer, value: number): boolean",
}, function(options)
  local sign = options.direction == "max" and 1 or -1
  local best, since = nil, 0
  return function(epoch, value)
    if best == nil or sign * value > best + options.min_delta then
      best, since = sign * value, 0
    elseif epoch > options.grace then
      since = since + 1
    end
    return since >= options.patience
  end
end)
