local function join(client, room) return assert(client:request("chat.join", room or "tea")).body end

describe("chat", function()
    local ada, bob
    before_each(function()
        ada = test.session { uid = "ada" }
        bob = test.session { uid = "bob" }
    end)

    describe("join", function()
        it("answers with everybody who is in the room, by name", function()
            assert.equal("bob", join(bob))
            assert.equal("ada\nbob", join(ada))
            assert.same({ "chat:tea" }, ada:groups())
        end)

        it("tells those who were there before, and not the one who comes", function()
            join(ada)
            join(bob)
            assert.same({ { kind = "event", action = "chat.joined", body = "bob", headers = { room = "tea" } } },
                ada:received())
            assert.same({}, bob:received())
        end)

        it("refuses a room without a name, or with a bad one", function()
            for _, name in ipairs { "", ("x"):rep(65), "a\nb" } do
                assert.refused("ValueWrong", ada:request("chat.join", name))
            end
            assert.same({}, ada:groups())
        end)

        it("calls somebody without a uid by the client's id", function()
            assert.equal("kiosk-3", join(test.session { client_id = "kiosk-3" }))
        end)
    end)

    describe("say", function()
        local function say(client, words) return client:request("chat.say", words, { headers = { room = "tea" } }) end

        it("reaches the others in the room and nobody else", function()
            local carol = test.session { uid = "carol" }
            join(ada)
            join(bob)
            assert.equal("1", assert(say(bob, "hello")).body)
            local heard = ada:received("chat.said")
            assert.equal(1, #heard)
            assert.equal("hello", heard[1].body)
            assert.same({ room = "tea", from = "bob" }, heard[1].headers)
            assert.same({}, bob:received("chat.said"))
            assert.same({}, carol:received())
        end)

        it("is for those who are in the room", function()
            join(ada)
            assert.refused("Forbidden", say(bob, "hello"))
            assert.same({}, ada:received("chat.said"))
        end)

        it("is over for those who have left", function()
            join(ada)
            join(bob)
            assert(bob:request("chat.leave", "tea"))
            assert.refused("Forbidden", say(bob, "still me"))
            assert.equal("ada", assert(ada:query("chat.who", "tea")).body)
        end)
    end)

    describe("tell", function()
        local function tell(client, to, words) return client:request("chat.tell", words, { headers = { to = to } }) end

        it("reaches every device of a person and counts those that have it", function()
            local phone = test.session { uid = "ada" }
            assert.equal("2", assert(tell(bob, "ada", "psst")).body)
            for _, device in ipairs { ada, phone } do
                assert.equal("psst", device:received("chat.told")[1].body)
                assert.equal("bob", device:received("chat.told")[1].headers.from)
            end
        end)

        it("says so when the person is not here", function()
            assert.refused("TargetNotFound", tell(bob, "nobody", "psst"))
        end)
    end)

    describe("presence", function()
        it("tells a room once that somebody has gone, however they went", function()
            join(ada)
            join(bob)
            test.advance("5s")
            assert.same({}, ada:received("chat.left"))
            bob:close()
            local left = ada:received("chat.left")
            assert.equal(1, #left)
            assert.equal("bob", left[1].body)
            assert.equal("ada", assert(ada:query("chat.who", "tea")).body)
            test.advance("5s")
            assert.equal(1, #ada:received("chat.left"))
        end)

        it("does not take somebody for gone who has another device in the room", function()
            local phone = test.session { uid = "bob" }
            join(ada)
            join(bob)
            join(phone)
            test.advance("1s")
            bob:close()
            test.advance("2s")
            assert.same({}, ada:received("chat.left"))
        end)

        it("tells it of somebody who leaves the room and stays, and of nobody who was not in it", function()
            join(ada)
            join(bob)
            assert(bob:request("chat.leave", "tea"))
            assert(bob:request("chat.leave", "tea"))
            assert.equal(1, #ada:received("chat.left"))
        end)
    end)
end)
