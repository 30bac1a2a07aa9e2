local gw = require "godwit"

describe("tick", function()
    local client
    before_each(function() client = test.session {} end)

    it("ticks twenty times a second for those who want it", function()
        local started = gw.json.decode(assert(client:request("tick.start")).body)
        assert.same({ rate = 20, number = 0 }, started)
        assert.same({}, client:received("tick"))
        test.advance("1s")
        assert.near(20, #client:received("tick"), 1)
    end)

    it("numbers its ticks without a gap and says when each was", function()
        assert(client:request("tick.start"))
        test.advance("200ms")
        local ticks = client:received("tick")
        for index, tick in ipairs(ticks) do
            local told = gw.json.decode(tick.body)
            assert.equal(index, told.number)
            assert.near(gw.time() - 0.2 + index * 0.05, told.time, 0.06)
        end
        assert.near(4, #ticks, 1)
    end)

    it("leaves those alone who stopped it, or never began", function()
        local other = test.session {}
        assert(client:request("tick.start"))
        test.advance("100ms")
        assert(client:request("tick.stop"))
        client:forget()
        test.advance("1s")
        assert.same({}, client:received())
        assert.same({}, other:received())
    end)
end)
