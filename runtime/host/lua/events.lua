-- What happens beside messages: sessions come and go, clients ask to be let in. The host keeps it until it is taken here;
-- each handler is a task of its own.
local host = ...

local gw, events = host.gw, host.events
local error, ipairs, pairs, tostring, type = error, ipairs, pairs, tostring, type
local kAtOnce = 256  -- taken in one turn

-- What to do with what is taken, by its name.
local takers = {}
host.event_takers = takers

local handlers = {}
for _, name in ipairs(events.names) do handlers[name] = {} end

function host.check_loading(name, what)
    if host.loaded then error(("%s: %s while the app loads only"):format(name, what), 3) end
end

-- Runs fn(ev) for each event of that name, beside messages and with the app's limits; it may wait. Only while the app loads.
function gw.on(event, fn, options)
    host.check_loading("gw.on", "events are bound")
    local list = handlers[event]
    if not list then
        error(("gw.on: unknown event '%s'; there are %s"):format(tostring(event), table.concat(events.names, ", ")), 2)
    end
    if type(fn) ~= "function" then error("gw.on: the handler must be a function, got " .. type(fn), 2) end
    if options ~= nil and type(options) ~= "table" then error("gw.on: options must be a table, got " .. type(options), 2) end
    for option in pairs(options or {}) do error("gw.on: unknown option '" .. tostring(option) .. "'", 2) end
    events.hear(event)
    list[#list + 1] = fn
end

-- What is told of each beside its session.
local kMessages = { message_received = true, message_sent = true, promise_timeout = true, broadcast = true }
local kStops = { LoggedOut = 1, AppClosed = 2, AccountSwitched = 3 }

local function tell(name, session, code, reason, groups, action, message, count)
    local ev = { event = name, session = session and host.new_session(session), groups = groups }
    if code ~= 0 then
        ev.code, ev.name, ev.reason = code, host.new_error(code).name, reason
        ev.stop_reason = name == "session_closed" and kStops[ev.name] or nil
    end
    if kMessages[name] then ev.action, ev.message, ev.groups = action, message, nil end
    if name == "session_resumed" then ev.resumes = count end
    if name == "broadcast" then ev.group, ev.count, ev.message = reason, count, nil end
    for _, fn in ipairs(handlers[name]) do
        if not host.spawn(fn, ev) then events.drop(name) end
    end
end
for _, name in ipairs(events.names) do takers[name] = tell end

local function take(name, ...)
    if not name then return false end
    takers[name](name, ...)
    return true
end

-- Makes tasks of what waits. They begin in the order in which it happened.
function host.run_events()
    for _ = 1, kAtOnce do
        if not take(events.next()) then return end
    end
end
