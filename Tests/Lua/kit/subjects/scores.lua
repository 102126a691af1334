-- The evaluator `proxy` with two proxies.

local nas = require "nas"

return nas.evaluators.proxy {
  proxies = { "synflow", "naswot" }, batch = 16,
  data = nas.data.open("shapes", { limit = 80, valid = 16, test_limit = 16 }),
}
