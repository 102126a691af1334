-- Which tests and checks run: `filter` and `skip` of `nasrun test`.

--- A function(name) that says whether the test of that name runs.
return function(arguments)
  local function has(name, text) return name:lower():find(text:lower(), 1, true) ~= nil end
  return function(name)
    if arguments.filter and not has(name, arguments.filter) then return false end
    for _, text in ipairs(arguments.skip or {}) do
      if has(name, text) then return false end
    end
    return true
  end
end
