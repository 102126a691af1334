-- Loads every file of the library, so that all declarations are known: for `nasrun api`, editor files and the reference.

local core = require "nas.core"
local nas = require "nas"

for _, module in ipairs { "categories", "genotype", "early_stopping", "testing.describe", "testing.conformance" } do
  require("nas." .. module)
end
for _, family in ipairs { "strategies", "evaluators", "spaces", "proxies" } do
  for _, member in ipairs(core.modules_in("nas." .. family)) do
    if not member:find(".", 1, true) then local _ = nas[family][member] end
  end
end
