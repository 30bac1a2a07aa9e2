local gw = require "godwit"

describe("iot", function()
    local operator, pump, done
    before_each(function()
        operator, pump, done = test.session { uid = "operator" }, test.session { uid = "pump-7" }, 0
        pump:on("iot.command", function(message)
            done = done + 1
            return message.body .. " done"
        end)
    end)

    local function run(headers, body)
        headers.device = headers.device or "pump-7"
        return operator:request("iot.run", body or "open", { headers = headers, timeout = "1m" })
    end

    it("takes a command to the device and its answer back", function()
        assert.equal("open done", assert(run {}).body)
        assert.same({ "iot.command" }, { pump:received()[1].action })
    end)

    it("names what is missing: the device, or the header", function()
        assert.refused("TargetNotFound", run { device = "pump-8" })
        assert.refused("ValueWrong", operator:request("iot.run", "open"))
    end)

    it("waits no longer than the caller allows", function()
        pump:on("iot.command", function() gw.sleep("20s") return "late" end)
        local began = gw.now()
        assert.refused("DeadlineExceeded", run { timeout = "3" })
        assert.near(3, gw.now() - began, 0.1)
    end)

    it("hands on what the device failed with", function()
        pump:on("iot.command", function() return nil, gw.err("Forbidden", "locked by hand") end)
        assert.equal("locked by hand", assert.refused("Forbidden", run {}).message)
    end)

    it("says at once when the device goes away meanwhile", function()
        pump:on("iot.command", function() pump:close() gw.sleep("1s") end)
        assert.refused("ConnectionLost", run {})
    end)

    describe("with a key", function()
        it("runs once, and tells everybody who repeats it what came of it", function()
            assert.equal("open done", assert(run { key = "42" }).body)
            local again = assert(run { key = "42" })
            assert.equal("open done", again.body)
            assert.equal("true", again.headers.replayed)
            assert.equal(1, done)
            assert.equal("42", pump:received()[1].headers.key)
        end)

        it("lets those wait who come while it is under way", function()
            pump:on("iot.command", function()
                done = done + 1
                gw.sleep("2s")
                return "slowly"
            end)
            local other = test.session { uid = "other" }
            local first = gw.spawn(run, { key = "42" })
            local second = gw.spawn(function()
                return other:request("iot.run", "open", { headers = { device = "pump-7", key = "42" } })
            end)
            local replies = assert(gw.all { first, second })
            assert.equal("slowly", replies[1].body)
            assert.equal("slowly", replies[2].body)
            assert.equal(1, done)
        end)

        it("frees the key of a call that failed", function()
            pump:on("iot.command", function() return nil, gw.err("Forbidden") end)
            assert.refused("Forbidden", run { key = "42" })
            pump:on("iot.command", function() return "now" end)
            assert.equal("now", assert(run { key = "42" }).body)
        end)

        it("forgets the outcome after five minutes", function()
            assert(run { key = "42" })
            test.advance("299s")
            assert(run { key = "42" })
            assert.equal(1, done)
            test.advance("2s")
            assert(run { key = "42" })
            assert.equal(2, done)
        end)
    end)

    describe("reports", function()
        it("are kept for an hour, and tell whether the device is there", function()
            assert(pump:event("iot.report", "3 bar"))
            local last = assert(operator:query("iot.last", "pump-7"))
            assert.equal("3 bar", last.body)
            assert.equal("true", last.headers.connected)
            pump:close()
            test.advance("59m")
            assert.equal("false", assert(operator:query("iot.last", "pump-7")).headers.connected)
            test.advance("2m")
            assert.refused("TargetNotFound", operator:query("iot.last", "pump-7"))
        end)
    end)
end)
