-- Sessions: who is connected, what they are sent and asked, and what is kept about them.
local host = ...

local gw, bridge, services, text_of = host.gw, host.bridge, host.services, host.ffi.string
local error, ipairs, pairs, setmetatable, sort, tonumber, tostring, type =
    error, ipairs, pairs, setmetatable, table.sort, tonumber, tostring, type
local new_error = host.new_error

-- What has effects waits until the app is live: a generation that never gets there leaves no trace.
local function check_live(name, level)
    if host.loaded then return end
    error(name .. ": not while the app loads; do it in a handler, or in gw.after or gw.every", (level or 2) + 1)
end
host.check_live = check_live

local function check_string(value, name, what, level)
    if type(value) ~= "string" then
        error(("%s: %s must be a string, got %s"):format(name, what, type(value)), (level or 2) + 1)
    end
end
host.check_string = check_string

local kValues = { string = true, number = true, boolean = true }
function host.check_value(value, name, level)
    if kValues[type(value)] then return end
    error(("%s: a value must be a string, number or boolean, got %s"):format(name, type(value)), (level or 2) + 1)
end

local function value_or_error(value, code, text)
    if code then return nil, new_error(code, text) end
    return value
end
host.value_or_error = value_or_error

-- Session objects, whether they come with a message or from a list. Methods are found behind their fields.
local methods = {}
local session_view = host.view_maker("session")
local kContents = { __index = methods }
local key_by_session = setmetatable({}, { __mode = "k" })

function host.new_session(fields)
    local session = session_view(setmetatable(fields, kContents))
    key_by_session[session] = fields.id
    return session
end

local function key_of(session, method)
    local key = key_by_session[session]
    if not key then error("session:" .. method .. " must be called with a colon on a session", 3) end
    return key
end

-- A session, or the id of one.
local function key_from(value, name)
    local key = key_by_session[value] or value
    if type(key) == "number" or type(key) == "string" then return key end
    error(name .. ": expected a session or its id, got " .. type(value), 3)
end

-- Messages as the host takes them.
local kPriorities = { normal = 0, low = 1, high = 2, critical = 3 }
local kMessageOptions = { headers = true, ttl = true, priority = true, ordered = true }

local function flat_headers(headers, name)
    if headers == nil then return nil end
    if type(headers) ~= "table" then error(name .. ": headers must be a table of name = value", 4) end
    local names, flat = {}, {}
    for header, value in host.globals.pairs(headers) do
        if type(header) ~= "string" or type(value) ~= "string" then
            error(name .. ": headers must have names and values that are strings", 4)
        end
        names[#names + 1] = header
    end
    sort(names)
    for _, header in ipairs(names) do
        flat[#flat + 1], flat[#flat + 2] = header, headers[header]
    end
    return flat
end

local function check_body(body, name)
    local kind = type(body)
    if kind == "string" then return body end
    if body == nil then return "" end
    if kind == "number" then return tostring(body) end
    error(("%s: the body must be a string, got %s"):format(name, kind), 4)
end

local kNothing = {}
local function seconds_of(options, option, name)
    local value = options[option]
    return value ~= nil and host.seconds(value, name .. ": option '" .. option .. "'", 4) or nil
end

-- session::Order
local function order_of(options, name)
    if not options.unreliable then return options.ordered ~= false and 1 or 0 end
    if options.confirm or options.timeout then
        error(name .. ": nobody hears what becomes of an unreliable event; leave out 'confirm' and 'timeout'", 4)
    end
    return 2
end

-- body, headers, timeout, ttl, priority, order: what the host's functions take behind the action. `more` names the
-- options that this function has beyond those of all messages.
local function check_message(name, more, action, body, options)
    check_live(name, 3)
    check_string(action, name, "the action", 3)
    body = check_body(body, name)
    options = options == nil and kNothing or options
    if type(options) ~= "table" then error(name .. ": options must be a table, got " .. type(options), 3) end
    for option in pairs(options) do
        if not kMessageOptions[option] and not more[option] then
            error(("%s: unknown option '%s'"):format(name, tostring(option)), 3)
        end
    end
    local priority = kPriorities[options.priority or "normal"]
    if not priority then error(name .. ": option 'priority' must be low, normal, high or critical", 3) end
    return options, body, flat_headers(options.headers, name), seconds_of(options, "timeout", name),
        seconds_of(options, "ttl", name), priority, order_of(options, name)
end
host.check_message = check_message

local function wake_text() return text_of(bridge.wake.text.data, bridge.wake.text.size) end

local function wake_body() return text_of(bridge.wake.body.data, bridge.wake.body.size) end
host.wake_body = wake_body

-- The headers of what the wait ended with.
local function wake_headers()
    local wake, headers = bridge.wake, {}
    for i = 0, wake.header_count - 1 do
        local name, value = wake.headers[i].name, wake.headers[i].value
        headers[text_of(name.data, name.size)] = text_of(value.data, value.size)
    end
    return headers
end
host.wake_headers = wake_headers

-- Begins something with a token and waits for it: true, or nil and why not.
local function begin_and_wait(name, begin, ...)
    local token, err = host.new_wait(name)
    if not token then return nil, err end
    local begun, code, text = begin(token, ...)
    if not begun then
        bridge.forget_wait(bridge.self, token)
        return nil, new_error(code, text)
    end
    code = host.wait(token)
    if code == 0 then code = bridge.wake.number end
    if code == 0 then return true end
    return nil, new_error(code, wake_text(), tonumber(wake_headers()["retry-after"]))
end
host.begin_and_wait = begin_and_wait

local function begin_send(token, key, action, body, headers, timeout, ttl, priority, order)
    return services.send(key, action, body, headers, timeout, ttl, priority, order, token)
end
local function begin_query(token, key, action, body, headers, timeout, ttl, priority, order)
    return services.request(key, action, body, headers, timeout, ttl, priority, order, token, true)
end
local function begin_command(token, key, action, body, headers, timeout, ttl, priority, order)
    return services.request(key, action, body, headers, timeout, ttl, priority, order, token, false)
end

local function begin_durable(token, key, action, body, headers, timeout, ttl, priority, order)
    return services.send_durable(key, action, body, headers, timeout, ttl, priority, order, token)
end

-- Sends what check_message returned.
local function send(name, key, action, options, ...)
    if options.durable then
        if options.confirm or options.timeout or options.unreliable then
            error(name .. ": a durable event waits for the disk, not for its client: leave out 'confirm', 'timeout' and "
                .. "'unreliable'", 3)
        end
        local ok, err = begin_and_wait(name, begin_durable, key, action, ...)
        return ok, err
    end
    if options.confirm then
        local ok, err = begin_and_wait(name, begin_send, key, action, ...)
        return ok, err
    end
    return value_or_error(services.send(key, action, ...))
end

local function request(name, key, action, options, ...)
    local kind = options.kind or "command"
    if kind ~= "command" and kind ~= "query" then error(name .. ": option 'kind' must be command or query", 3) end
    local ok, err = begin_and_wait(name, kind == "query" and begin_query or begin_command, key, action, ...)
    if not ok then return nil, err end
    return { body = wake_body(), headers = wake_headers() }
end

local kSendOptions = { confirm = true, timeout = true, unreliable = true, durable = true }
local kRequestOptions = { kind = true, timeout = true }

function methods.send(session, action, body, options)
    local key = key_of(session, "send")
    return send("session:send", key, action, check_message("session:send", kSendOptions, action, body, options))
end

local kNotifyOptions = { before = true, after = true }

-- An event that the client handles right before, or after, the response to a request of it: `before` or `after` name
-- the message. With neither it goes out now, as send does it.
function methods.notify(session, action, body, options)
    local key = key_of(session, "notify")
    local checked, bytes, headers, timeout, ttl, priority, order =
        check_message("session:notify", kNotifyOptions, action, body, options)
    local bound = checked.before or checked.after
    if bound == nil then
        return value_or_error(services.send(key, action, bytes, headers, timeout, ttl, priority, order))
    end
    local serial = host.serial_of(bound)
    if not serial or (checked.before and checked.after) then
        error("session:notify: one of the options 'before' and 'after' names a message of this session", 2)
    end
    return value_or_error(services.notify(key, action, bytes, headers, timeout, ttl, priority, order, serial,
        checked.after ~= nil))
end

function methods.request(session, action, body, options)
    local key = key_of(session, "request")
    return request("session:request", key, action,
        check_message("session:request", kRequestOptions, action, body, options))
end

function methods.get(session, name)
    local key = key_of(session, "get")
    check_string(name, "session:get", "the name")
    return (services.get(key, name))
end

function methods.set(session, name, value, ttl)
    local key = key_of(session, "set")
    check_live("session:set")
    check_string(name, "session:set", "the name")
    if value ~= nil then host.check_value(value, "session:set") end
    return value_or_error(services.set(key, name, value, ttl and host.seconds(ttl, "session:set: the ttl", 2) or 0))
end

function methods.cas(session, name, old, new)
    local key = key_of(session, "cas")
    check_live("session:cas")
    check_string(name, "session:cas", "the name")
    if old ~= nil then host.check_value(old, "session:cas") end
    if new ~= nil then host.check_value(new, "session:cas") end
    return value_or_error(services.cas(key, name, old, new))
end

function methods.join(session, group)
    local key = key_of(session, "join")
    check_live("session:join")
    check_string(group, "session:join", "the group")
    return value_or_error(services.join(key, group))
end

function methods.leave(session, group)
    local key = key_of(session, "leave")
    check_live("session:leave")
    check_string(group, "session:leave", "the group")
    return value_or_error(services.leave(key, group))
end

function methods.groups(session) return services.groups(key_of(session, "groups")) end

function methods.alive(session) return services.session(key_of(session, "alive")) ~= nil end

function methods.close(session, code, reason)
    local key = key_of(session, "close")
    check_live("session:close")
    local number = host.code_of(code == nil and "PeerClosed" or code)
    if not number then error("session:close: '" .. tostring(code) .. "' is no error code; see gw.errors", 2) end
    return value_or_error(services.close(key, number, reason == nil and "" or tostring(reason)))
end

local function begin_stats(token, key) return services.stats(key, token) end

function methods.stats(session)
    local key = key_of(session, "stats")
    local ok, err = begin_and_wait("session:stats", begin_stats, key)
    if not ok then return nil, err end
    local stats = {}
    for name, value in pairs(wake_headers()) do stats[name] = tonumber(value) end
    return stats
end

function methods.pending(session)
    local key = key_of(session, "pending")
    local ok, err = begin_and_wait("session:pending", begin_stats, key)
    if not ok then return nil, err end
    return tonumber(wake_headers().pending_replies)
end

-- By id or, where that is nil, the newest of a uid.
function gw.session(id, uid)
    if id == nil then
        check_string(uid, "gw.session", "the uid")
        local keys = services.sessions_of(uid)
        id = keys[#keys]
    end
    local fields = id ~= nil and services.session(id)
    if fields then return host.new_session(fields) end
    return nil, new_error(host.errors.TargetNotFound)
end

function gw.sessions(filter)
    filter = filter == nil and kNothing or filter
    if type(filter) ~= "table" then error("gw.sessions: expected a table, got " .. type(filter), 2) end
    for option in pairs(filter) do
        if option ~= "group" and option ~= "limit" and option ~= "cursor" then
            error("gw.sessions: unknown option '" .. tostring(option) .. "'", 2)
        end
    end
    local limit = filter.limit or 100
    if type(limit) ~= "number" or limit < 1 or limit > 1000 then error("gw.sessions: limit must be 1 to 1000", 2) end
    if filter.group ~= nil then check_string(filter.group, "gw.sessions", "group") end
    local list = services.sessions(filter.group or "", filter.cursor or 0, limit)
    for i, fields in ipairs(list) do list[i] = host.new_session(fields) end
    return list, #list == limit and list[#list].id or nil
end

local kUidSendOptions = { confirm = true, timeout = true, unreliable = true, offline = true }

-- To all sessions of a uid: how many take it. With `confirm` those that acknowledged it. With `offline`, true or for how
-- long, it is kept for a user who was here a moment ago: then 0.
function gw.send(uid, action, body, options)
    check_string(uid, "gw.send", "the uid")
    local checked, bytes, headers, timeout, ttl, priority, order =
        check_message("gw.send", kUidSendOptions, action, body, options)
    local offline = checked.offline
    if offline and (checked.confirm or checked.unreliable) then
        error("gw.send: option 'offline' does not go with 'confirm' and 'unreliable'", 2)
    end
    local keep_for = offline and offline ~= true and host.seconds(offline, "gw.send: option 'offline'", 2) or 0
    local count, err = 0, nil
    for _, key in ipairs(services.sessions_of(uid)) do
        local ok, why = send("gw.send", key, action, checked, bytes, headers, timeout, ttl, priority, order)
        if ok then count = count + 1 end
        err = why or err
    end
    if count > 0 then return count end
    if offline and not err then
        local kept, code, text = services.keep(uid, action, bytes, headers, timeout, ttl, priority, order, keep_for)
        if kept then return 0 end
        return nil, new_error(code, text)
    end
    return nil, err or new_error(host.errors.TargetNotFound)
end

-- Asks the newest session of a uid.
function gw.request(uid, action, body, options)
    check_string(uid, "gw.request", "the uid")
    local checked, bytes, headers, timeout, ttl, priority, order =
        check_message("gw.request", kRequestOptions, action, body, options)
    local keys = services.sessions_of(uid)
    if #keys == 0 then return nil, new_error(host.errors.TargetNotFound) end
    return request("gw.request", keys[#keys], action, checked, bytes, headers, timeout, ttl, priority, order)
end

host.key_from = key_from
