-- A little of everything, to talk with: `godwit connect 127.0.0.1:8453 --insecure`, then `hello ada`. See README.md.
local gw = require "godwit"

local started = gw.now()
local calls = 0

-- An app of yours that has one of these names gets the message.
local function handle(action, fn) gw.handle(action, fn, { priority = 1000 }) end

gw.use(function(_, _, following)
    calls = calls + 1
    following()
end)

handle("hello", function(msg, session)
    local name = msg:body()
    msg:reply("hello " .. (name ~= "" and name or session.uid))
end)

handle("time", function(msg) msg:reply(os.date("!%Y-%m-%dT%H:%M:%SZ", gw.time())) end)

local compute = {
    ["+"] = function(a, b) return a + b end,
    ["-"] = function(a, b) return a - b end,
    ["*"] = function(a, b) return a * b end,
    ["/"] = function(a, b) return a / b end,
}

handle("calc", function(msg)
    local a, operator, b = msg:body():match("^%s*(%-?[%d.]+)%s*([-+*/])%s*(%-?[%d.]+)%s*$")
    a, b = tonumber(a), tonumber(b)
    if not a or not b then return msg:fail("ValueWrong", "two numbers with + - * or / between them, such as 6 * 7") end
    if operator == "/" and b == 0 then return msg:fail("ValueWrong", "nothing can be divided by 0") end
    msg:reply(("%.14g"):format(compute[operator](a, b)))
end)

handle("status", function(msg)
    msg:reply(gw.json.encode { uptime_s = math.floor(gw.now() - started), calls = calls })
end)

handle("session_info", function(msg, session)
    local stats, err = session:stats()
    if not stats then return msg:fail(err.code, err.message) end
    msg:reply(gw.json.encode {
        client_id = session.client_id,
        uid = session.uid,
        address = session.address,
        messages_sent = stats.messages_sent,
        messages_received = stats.messages_received,
    })
end)

handle("broadcast", function(msg, session)
    local reached, err = gw.broadcast("news", msg:body(), { except = session })
    if not reached then return msg:fail(err.code, err.message) end
    msg:reply("told " .. reached)
end)
