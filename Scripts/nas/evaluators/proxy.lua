-- The evaluator "proxy": scores architectures without training them.

local core = require "nas.core"
local nas = core.public

--- The proxies of a list of names and of proxies.
local function proxies_of(list)
  local proxies, seen = {}, {}
  core.require_elements(list, {
    message = "nas.evaluators.proxy: no proxies",
    expected = 'a list: proxies = { "naswot", … }',
  })
  for index, proxy in ipairs(list) do
    if type(proxy) == "string" then proxy = nas.proxies[proxy] end
    if type(proxy) ~= "table" or type(proxy.score) ~= "function" then
      nas.fail {
        message = ("nas.evaluators.proxy: wrong proxy %d"):format(index),
        expected = "the name of one of nas.proxies, or what nas.proxy returns",
        got = type(proxy),
      }
    end
    if seen[proxy.name] then
      nas.fail {
        message = ("nas.evaluators.proxy: proxies %d and %d are both called '%s'"):format(seen[proxy.name], index, proxy.name),
        hint = "The metrics have the proxies' names: give each its own.",
      }
    end
    proxies[index], seen[proxy.name] = proxy, index
  end
  return proxies
end

return nas.declare("nas.evaluators.proxy", {
  doc = [[
Scores each architecture's network with fresh weights by zero-cost proxies; the metrics have the proxies' names. A
search needs the direction of each objective: objectives = { { "naswot", "max" } }, or { proxy.name, proxy.direction }.
All trials see the same batches, the first of a random order of the split.]],
  source = "Abdelfattah et al., ICLR 2021",
  options = {
    { "proxies", "table", doc = 'names and proxies: { "naswot", "synflow", my_proxy }' },
    { "data", "Data", doc = "from nas.data.open" },
    { "batch", "integer", min = 2, default = 64, doc = "images per batch; scores of other sizes can't be compared" },
    { "split", "string", one_of = { "train", "valid", "train+valid" }, default = "train", doc = "where batches are from" },
  },
  returns = "Evaluator",
  example = 'evaluate = nas.evaluators.proxy { proxies = { "naswot", "synflow" }, data = data }',
}, function(options)
  local proxies, count = proxies_of(options.proxies), 1
  for _, proxy in ipairs(proxies) do count = math.max(count, proxy.batches) end
  local batches = {}
  local order = { split = options.split, size = options.batch, epochs = count, stream = "proxies" }
  for batch in options.data:batches(order) do
    batches[#batches + 1] = batch
    if #batches == count then break end
  end

  return nas.evaluator {
    data = options.data,
    run = function(trial)
      local network, metrics = trial:network(), {}
      for _, proxy in ipairs(proxies) do
        local before = core.version(network)
        metrics[proxy.name] = proxy.score(network, table.unpack(batches, 1, proxy.batches))
        if core.version(network) ~= before then
          nas.fail {
            message = ("the proxy '%s' changed the network's weights"):format(proxy.name),
            expected = "a network that stays as it is",
            hint = "Train another one: network:fresh().",
          }
        end
      end
      return metrics
    end,
  }
end)
