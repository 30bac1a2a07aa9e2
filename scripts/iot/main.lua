-- Commands to devices: with an answer or a reason, in time, and once per idempotency key. See README.md.
local gw = require "godwit"

local kRemember = 300      -- seconds for which an outcome is replayed to whoever repeats its key

-- Waits while another call with the same key is under way; its outcome, or nil when it failed.
local function outcome_of(key)
    local state = gw.kv.get(key)
    while state == "running" do
        if not gw.sleep("20ms") then return nil end
        state = gw.kv.get(key)
    end
    return state and state:sub(2)
end

local function run_on(device, msg, timeout, key)
    local headers = key and { key = key } or nil
    local reply, err = gw.request(device, "iot.command", msg:body(), { timeout = timeout, headers = headers })
    if reply then return reply.body end
    return nil, err
end

gw.handle("command/iot.run", function(msg)
    local device = msg.headers.device
    if not device then return msg:fail("ValueWrong", "which device? give a header `device`") end
    local timeout = math.min(tonumber(msg.headers.timeout) or 10, msg:deadline())
    local key = msg.headers.key
    local slot = key and "run:" .. device .. ":" .. key
    -- A worker that dies in the middle must not keep the key for ever.
    if slot and not gw.kv.add(slot, "running", timeout + 1) then
        local outcome = outcome_of(slot)
        if outcome then return msg:reply(outcome, { replayed = "true" }) end
        return msg:fail("Cancelled", "the call that had this key failed; send again")
    end
    local answer, err = run_on(device, msg, timeout, key)
    if not answer then
        -- Whether the device did it is not known after a timeout: it gets the same key with the next try, and can tell.
        if slot then gw.kv.del(slot) end
        return msg:fail(err.code, err.message)
    end
    if slot then gw.kv.set(slot, "=" .. answer, kRemember) end
    msg:reply(answer)
end, { timeout = "5m" })

-- What devices tell of themselves.
gw.handle("event/iot.report", function(msg, session)
    local device = session.uid or session.client_id
    gw.kv.set("report:" .. device, msg:body(), "1h")
end)

gw.handle("query/iot.last", function(msg)
    local report = gw.kv.get("report:" .. msg:body())
    if not report then return msg:fail("TargetNotFound", "no report of that device in the last hour") end
    msg:reply(report, { connected = tostring(gw.session(nil, msg:body()) ~= nil) })
end)
