describe("echo", function()
    local client
    before_each(function() client = test.session { uid = "ada" } end)

    it("answers with the message's own body, any bytes", function()
        local reply = assert(client:request("echo", "a\0b"))
        assert.equal("a\0b", reply.body)
    end)

    it("answers queries and empty bodies as well", function()
        assert.equal("", assert(client:query("echo")).body)
    end)

    it("takes an event and sends nothing back", function()
        assert.is_true(client:event("echo", "note"))
        assert.same({}, client:received())
    end)

    it("knows no other action", function()
        assert.refused("HandlerNotFound", client:request("echo.more", "x"))
    end)
end)
