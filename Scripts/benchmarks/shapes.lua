-- Writes the built-in images "shapes" with their labels, for both sides of a comparison.

local nas = require "nas"
local write_arrays = require "arrays"
local args = nas.args { arrays = "" }

local arrays, data = {}, nas.data.open "shapes"
for _, split in ipairs { "train", "test" } do
  local count = 0
  for batch in data:batches { split = split, size = 100 } do
    count = count + 1
    arrays[#arrays + 1] = { ("%s_images/%02d"):format(split, count), batch.images }
    arrays[#arrays + 1] = { ("%s_labels/%02d"):format(split, count), nas.tensor(batch.labels) - 1 }
  end
end
write_arrays(args.arrays, arrays)
