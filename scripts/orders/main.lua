-- Orders that are placed once, however often a client sends them. See README.md.
local gw = require "godwit"

-- Charges a card by way of a service. A second charge for the same order is the one thing that must not happen, so the
-- order is the key, whichever message led here.
local function charge(order, cents)
    return gw.once("charge:" .. order, { ttl = "1h" }, function()
        local number = gw.kv.incr("charges")
        gw.log.info("charged", { order = order, cents = cents, number = number })
        return { number = number, cents = cents }
    end)
end

gw.handle("command/orders.place", function(msg, session)
    local order = msg:json()
    if not order or type(order.id) ~= "string" or type(order.cents) ~= "number" then
        return msg:fail("ValueWrong", "an order has an id and a price in cents")
    end
    if order.cents <= 0 then return msg:fail("ValueWrong", "nothing is free") end
    local receipt, err = charge(session.uid .. "/" .. order.id, order.cents)
    if not receipt then return msg:fail(err.code, err.message) end
    msg:reply(gw.json.encode({ order = order.id, charge = receipt.number, cents = receipt.cents }))
end, { idempotent = true })
