-- The paired sign-flip test against numbers worked out by hand, and its rate of false alarms.

local paired = require "nas.testing.paired"

describe("the sign-flip test", function()
  it("counts the flips that give as high a mean", function()
    -- Differences 1 2 3: only no flip at all reaches the sum 6; 1/8. As low: all of the 8.
    local test = paired({ 2, 4, 6 }, { 1, 2, 3 })
    expect(test.better):to_be_near(1 / 8)
    expect(test.worse):to_be_near(1)
    expect(test.mean):to_be_near(2)
    expect({ test.wins, test.losses }):to_equal { 3, 0 }
  end)
  it("counts ties on both sides", function()
    -- Differences 1 -1 2: sums are 4 2 2 0 0 -2 -2 -4; three of 8 are at least 2, seven at most 2.
    local test = paired({ 1, 0, 2 }, { 0, 1, 0 })
    expect(test.better):to_be_near(3 / 8)
    expect(test.worse):to_be_near(7 / 8)
  end)
  it("sees no difference where there is none", function()
    local test = paired({ 1, 2 }, { 1, 2 })
    expect({ test.better, test.worse, test.mean }):to_equal { 1, 1, 0 }
  end)
  it("gives as few false alarms as it says", function()
    -- Alike by construction: at level 0.05, 400 comparisons give 20 ± 4.4 alarms.
    local nas = require "nas"
    local stream, alarms = nas.stream "alarms", 0
    for _ = 1, 400 do
      local a, b = {}, {}
      for index = 1, 8 do a[index], b[index] = stream:normal(), stream:normal() end
      if paired(a, b).better <= 0.05 then alarms = alarms + 1 end
    end
    expect(alarms):to_be_above(20 - 4 * 4.4)
    expect(alarms):to_be_below(20 + 4 * 4.4)
  end)
end)
