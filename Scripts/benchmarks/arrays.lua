-- Writes tensors as a safetensors file, for the other side of a comparison. Wants `nasrun --trust`.

--- The numbers of nested tables in their order, as little-endian 32-bit floats.
local function pack(value, parts)
  if type(value) ~= "table" then
    parts[#parts + 1] = string.pack("<f", value)
  else
    for _, inner in ipairs(value) do pack(inner, parts) end
  end
  return parts
end

--- `arrays` is a list of { name, tensor }.
return function(path, arrays)
  local headers, bytes, offset = {}, {}, 0
  for index, array in ipairs(arrays) do
    local name, tensor = array[1], array[2]
    bytes[index] = table.concat(pack(tensor:totable(), {}))
    headers[index] = ('"%s":{"dtype":"F32","shape":[%s],"data_offsets":[%d,%d]}'):format(
      name, table.concat(tensor.shape, ","), offset, offset + #bytes[index])
    offset = offset + #bytes[index]
  end
  local header = "{" .. table.concat(headers, ",") .. "}"
  local file <close> = assert(io.open(path, "wb"))
  file:write(string.pack("<I8", #header), header, table.concat(bytes))
end
