local gw = require "godwit"

describe("demo", function()
    local ada
    before_each(function() ada = test.session { uid = "ada" } end)

    local function answer(action, body) return assert(ada:request(action, body)).body end

    it("greets who is named, or who asks", function()
        assert.equal("hello bob", answer("hello", "bob"))
        assert.equal("hello ada", answer "hello")
    end)

    it("tells the time of day", function()
        assert.truthy(answer("time"):match "^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$")
    end)

    it("calculates", function()
        assert.equal("42", answer("calc", "6 * 7"))
        assert.equal("-1.5", answer("calc", "-3/2"))
        assert.equal("3", answer("calc", " 1 + 2 "))
        assert.equal("0.5", answer("calc", "1.5-1"))
    end)

    it("refuses what cannot be calculated", function()
        assert.refused("ValueWrong", ada:request("calc", "1 / 0"))
        assert.refused("ValueWrong", ada:request("calc", "one and one"))
        assert.refused("ValueWrong", ada:request("calc", "1.2.3 + 1"))
    end)

    it("says what it has done and who asks", function()
        answer "hello"
        assert.equal(2, gw.json.decode(answer "status").calls)
        local info = gw.json.decode(answer "session_info")
        assert.equal("ada", info.uid)
        assert.truthy(info.messages_received >= 2)
    end)

    it("tells everybody else", function()
        local bob = test.session { uid = "bob" }
        assert.equal("told 1", answer("broadcast", "tea is ready"))
        assert.equal("tea is ready", bob:received("news")[1].body)
        assert.equal(0, #ada:received("news"))
    end)
end)
