-- What a recipe can't reach, and what it can rely on.

local nas = require "nas"
local expect = require "expect"

for _, name in ipairs { "io", "os", "debug", "load", "loadstring", "loadfile", "dofile", "package" } do
  expect.raises("undeclared global '" .. name .. "'", function() return _ENV[name] end)
end
expect.equal(string.dump, nil)
expect.raises("read-only", function() string.format = print end)
expect.raises("__gc", function() setmetatable({}, { __gc = print }) end)
expect.raises("__mode", function() setmetatable({}, { __mode = "k" }) end)
expect.raises("no '%p'", function() return ("%p"):format({}) end)
expect.raises("undeclared global 'x'", function() _ENV.x = 1 end)

-- Tables have no address, and come in a defined order.
expect.is_true(not tostring({}):find("0x", 1, true) and not tostring(print):find("0x", 1, true))
local keys = {}
for key in pairs { zebra = 1, [3] = 1, apple = 1, [1] = 1, [2] = 1, [2.5] = 1, [true] = 1 } do keys[#keys + 1] = key end
local again = {}
for key in pairs { [true] = 1, [2.5] = 1, apple = 1, [3] = 1, [2] = 1, [1] = 1, zebra = 1 } do again[#again + 1] = key end
expect.equal(keys, again)

-- Errors are values with fields.
local ok, err = pcall(nas.search, { space = 3 })
expect.is_true(not ok)
expect.equal(err.code, "recipe")
expect.is_true(err.message:find("nas.search", 1, true) and err.expected ~= nil and err.got == "3")
expect.is_true(tostring(err.at):find("sandbox.lua:", 1, true))

-- Only named paths can be read, and only with the text that a module is.
expect.raises("may not read this path", function() nas.data.open("/etc") end)
expect.raises("there is no module 'expects'", function() require "expects" end)

-- What is built is closed: methods of the API can't be replaced.
local space = nas.space { op = nas.oneof { 1, 2 } }
expect.raises("", function() space.random = nil end)
expect.raises("", function() getmetatable(space).__index = nil end)
