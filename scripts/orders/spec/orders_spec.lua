local gw = require "godwit"

describe("orders", function()
    local ada

    before_each(function() ada = test.session { uid = "ada" } end)

    local function place(from, key, order)
        return from:request("orders.place", gw.json.encode(order), { headers = { ["idempotency-key"] = key } })
    end

    it("answers a repeated order as it did the first, and charges once", function()
        local first = assert(place(ada, "k1", { id = "A", cents = 950 }))
        local again = assert(place(ada, "k1", { id = "A", cents = 950 }))
        assert.equal(first.body, again.body)
        assert.equal(1, gw.json.decode(first.body).charge)
    end)

    it("charges once even when the client made a new key", function()
        local first = assert(place(ada, "k2", { id = "B", cents = 100 }))
        assert.equal(first.body, assert(place(ada, "k3", { id = "B", cents = 100 })).body)
    end)

    it("keeps a refusal, too", function()
        assert.refused("ValueWrong", place(ada, "k4", { id = "C", cents = 0 }))
        assert.refused("ValueWrong", place(ada, "k4", { id = "C", cents = 0 }))
    end)

    it("takes another order under the same key for a mistake", function()
        assert(place(ada, "k5", { id = "D", cents = 1 }))
        assert.refused("OperationMismatch", place(ada, "k5", { id = "D", cents = 2 }))
    end)

    it("has keys for each user", function()
        local bob = test.session { uid = "bob" }
        local one = gw.json.decode(assert(place(ada, "k6", { id = "E", cents = 1 })).body)
        local other = gw.json.decode(assert(place(bob, "k6", { id = "E", cents = 1 })).body)
        assert.truthy(one.charge ~= other.charge)
    end)

    it("forgets after the time that outcomes are kept", function()
        local first = assert(place(ada, "k7", { id = "F", cents = 1 }))
        test.advance("61m")
        local later = assert(place(ada, "k7", { id = "F", cents = 1 }))
        assert.truthy(first.body ~= later.body)
    end)
end)
