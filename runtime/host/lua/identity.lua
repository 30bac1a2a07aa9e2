-- Who may come in, and who may do what. Both fail closed: an error, or anything that is no clear yes, is a no.
local host = ...

local gw, events, bridge = host.gw, host.events, host.bridge
local error, ipairs, pairs, tostring, type = error, ipairs, pairs, tostring, type
local text_of = host.ffi.string

local authenticate

-- Decides who may come in, where auth.mode is "lua": fn(cred) returns { uid =, groups =, attributes = } and what that user may
-- do (actions, body_max, sessions_max, until when: expires), or nil and why not; nil alone leaves it to other apps. It may wait, within session.login_timeout.
function gw.authenticate(fn)
    host.check_loading("gw.authenticate", "it is called")
    if type(fn) ~= "function" then error("gw.authenticate: expected a function, got " .. type(fn), 2) end
    if authenticate then error("gw.authenticate: was called already", 2) end
    authenticate = fn
    events.authenticates()
end

local kResult = {
    uid = "string", groups = "table", attributes = "table", actions = "table", body_max = "number", sessions_max = "number",
    expires = "number",
}

local function check_texts(list, what)
    for _, text in ipairs(list) do
        if type(text) ~= "string" then error(("gw.authenticate: %s are strings, got %s"):format(what, type(text)), 0) end
    end
    return list
end

local function check_result(result)
    if type(result) ~= "table" then
        error("gw.authenticate: a table { uid =, groups =, attributes = } must be returned, got " .. type(result), 0)
    end
    for name, value in pairs(result) do
        if type(value) ~= kResult[name] then
            error(("gw.authenticate: '%s' in what was returned is not known, or no %s"):format(tostring(name),
                kResult[name] or "such thing"), 0)
        end
    end
    if not result.uid then error("gw.authenticate: what was returned has no uid", 0) end
    local attributes = {}
    for name, value in pairs(result.attributes or {}) do
        if type(name) ~= "string" then error("gw.authenticate: names of attributes are strings", 0) end
        host.check_value(value, "gw.authenticate")
        attributes[#attributes + 1], attributes[#attributes + 2] = name, value
    end
    return result.uid, check_texts(result.groups or {}, "groups"), attributes,
        check_texts(result.actions or {}, "actions"), result.body_max or 0, result.sessions_max or 0, result.expires or 0
end

local function decide(question, cred)
    local result, reason = authenticate(cred)
    if result then return events.admit(question, check_result(result)) end
    if reason == nil then return events.pass(question) end
    host.log("info", "client not let in", { client = cred.client_id, address = cred.address, reason = tostring(reason) })
    events.refuse(question)
end

function host.event_takers.authenticate(_, question, cred)
    local task = host.spawn(decide, question, cred)
    if not task then
        events.drop("authenticate")
        return events.refuse(question)
    end
    -- However it ends: what was decided before stays.
    host.at_end(task, function() events.refuse(question) end)
end

local authorizers = {}
local kKinds = { [0] = "command", "event", "query", "response" }

-- Asked for every message, of all apps, before its handler: fn(session, action, target) returns true, or false and why not.
-- It must not wait. Of several all must allow it.
function gw.authorize(fn)
    host.check_loading("gw.authorize", "it is called")
    if type(fn) ~= "function" then error("gw.authorize: expected a function, got " .. type(fn), 2) end
    authorizers[#authorizers + 1] = fn
    host.declare_authorize()
end

-- About the one message that the bridge holds.
function host.authorize()
    local record = bridge.records[0]
    local session = host.session_of(record)
    local action = text_of(record.action.data, record.action.size)
    local app, pattern = host.destination()
    for _, fn in ipairs(authorizers) do
        local allowed, reason = fn(session, action, { kind = kKinds[record.kind], app = app, pattern = pattern })
        if allowed ~= true then return host.refuse(reason == nil and "refused" or tostring(reason)) end
    end
    host.allow()
end
