-- What a spec file is written with: describe, it, before_each, after_each, pending, and `test`. The runner asks for the
-- list of cases, and for one case of a fresh VM at a time; between case and runner go messages of the session that the
-- runner has with us. Fake clients are sessions too: we are their end of the line.
local host = ...

local gw, globals = host.gw, host.globals
local error, ipairs, pairs, select, setmetatable, tonumber, tostring, type, xpcall =
    error, ipairs, pairs, select, setmetatable, tonumber, tostring, type, xpcall
local concat, sort, traceback = table.concat, table.sort, debug.traceback

local cases = {}
local suite = { name = "", before = {}, after = {} }
local late_failure   -- of what ran beside the case: a client's answer

local function check_function(fn, name)
    if type(fn) ~= "function" then error(name .. ": expected a function, got " .. type(fn), 3) end
end

local function check_loading(name)
    if host.loaded then error(name .. ": not inside of a case; at the top of the file or in describe", 3) end
end

local function check_name(name, what)
    if type(name) ~= "string" then error(what .. ": the name must be a string, got " .. type(name), 3) end
end

local function full_name(name) return suite.name == "" and name or suite.name .. " " .. name end

function globals.describe(name, fn)
    check_loading("describe")
    check_name(name, "describe")
    check_function(fn, "describe")
    local outer = suite
    suite = { name = full_name(name), outer = outer, before = {}, after = {} }
    fn()
    suite = outer
end

function globals.it(name, fn)
    check_loading("it")
    check_name(name, "it")
    check_function(fn, "it")
    cases[#cases + 1] = { name = full_name(name), fn = fn, suite = suite, where = host.spec_place() }
end

-- A case that is yet to be written.
function globals.pending(name)
    check_loading("pending")
    check_name(name, "pending")
    cases[#cases + 1] = { name = full_name(name), suite = suite, where = host.spec_place() }
end

function globals.before_each(fn)
    check_loading("before_each")
    check_function(fn, "before_each")
    suite.before[#suite.before + 1] = fn
end

function globals.after_each(fn)
    check_loading("after_each")
    check_function(fn, "after_each")
    suite.after[#suite.after + 1] = fn
end

-- The spec's part of a traceback: without the frames that are ours.
local function user_frames(trace)
    local lines = {}
    for line in trace:gmatch("[^\n]+") do
        local frame = line:match("^%s+(.*)")
        if frame and not frame:find("^godwit/") and not frame:find("^%[C%]") then lines[#lines + 1] = "  " .. frame end
    end
    return concat(lines, "\n")
end

local function describe_error(reason)
    if host.is_failure(reason) then return tostring(reason) end
    return tostring(reason) .. "\n" .. user_frames(traceback("", 2))
end

local function run_hooks(of, kind, failures)
    if not of then return true end
    if kind == "before" and not run_hooks(of.outer, kind, failures) then return false end
    for _, fn in ipairs(of[kind]) do
        local ok, text = xpcall(fn, describe_error)
        if not ok then failures[#failures + 1] = text end
        if not ok and kind == "before" then return false end
    end
    return kind == "before" or run_hooks(of.outer, kind, failures)
end

local function run_case(case)
    local failures = {}
    if run_hooks(case.suite, "before", failures) then
        local ok, text = xpcall(case.fn, describe_error)
        if not ok then failures[#failures + 1] = text end
    end
    run_hooks(case.suite, "after", failures)
    failures[#failures + 1] = late_failure
    return failures
end

local control   -- the session of the runner

local function list_cases(msg)
    local lines = {}
    for index, case in ipairs(cases) do
        lines[index] = concat({ case.fn and "case" or "pending", case.where, (case.name:gsub("%c", " ")) }, "\t")
    end
    msg:reply(concat(lines, "\n"))
end

gw.handle("query/godwit.spec.list", list_cases)

gw.handle("command/godwit.spec.run", function(msg, session)
    control = session
    local failures = run_case(cases[tonumber(msg:body())])
    msg:reply(concat(failures, "\n"), { outcome = #failures == 0 and "passed" or "failed" })
end)

-- Fake clients.
local Client = { __metatable = "client" }
local methods = {}
Client.__index = methods
local clients = {}   -- by our session's id

local function client_at(client, method)
    if type(client) ~= "table" or not clients[client.line and client.line.id] then
        error("s:" .. method .. " must be called with a colon on what test.session returned", 3)
    end
    return client
end

local function copy_message(msg)
    local headers = {}
    for name, value in globals.pairs(msg.headers) do headers[name] = value end
    return { kind = msg.kind, action = msg.action, body = msg:body(), headers = headers }
end

local function answer(msg, client, message)
    local fn = client.responders[message.action] or client.responders["*"]
    if not fn then
        if message.kind ~= "event" then msg:fail("HandlerNotFound", "the fake client answers nothing: s:on(action, fn)") end
        return
    end
    local body, headers
    local ok, failure = xpcall(function() body, headers = fn(message) end, describe_error)
    if not ok then
        late_failure = late_failure or failure
        msg:fail("HandlerFailed", "the fake client's function failed")
    elseif body == nil and type(headers) == "table" and headers.code then
        msg:fail(headers.code, headers.message)
    elseif message.kind ~= "event" then
        msg:reply(body, headers)
    end
end

-- Whatever the app sends to a fake client.
gw.handle("**", function(msg, session)
    local client = clients[session.id]
    if not client then return end
    local message = copy_message(msg)
    client.inbox[#client.inbox + 1] = message
    answer(msg, client, message)
end, { ordered = false })

local function ask_runner(what, headers)
    local reply, err = control:request("godwit.spec." .. what, "", { headers = headers })
    if not reply then return nil, err end
    return reply
end

local kSession = { uid = true, client_id = true, address = true, token = true, certificate_name = true }
local count = 0

local test = {}

-- A client that connects. Fields: uid, client_id (default: "client-1", …), address, token. What it says of itself is
-- believed, unless the app itself decides who may come in; then `nil, err` is its refusal.
function test.session(options)
    options = options or {}
    if type(options) ~= "table" then error("test.session: expected a table, got " .. type(options), 2) end
    for name in pairs(options) do
        if not kSession[name] then error("test.session: unknown field '" .. tostring(name) .. "'", 2) end
    end
    if not control then error("test.session: inside of a case only: in it, before_each or after_each", 2) end
    count = count + 1
    local headers = { client_id = tostring(options.client_id or "client-" .. count) }
    for name, value in pairs(options) do headers[name] = tostring(value) end
    local reply, err = ask_runner("connect", headers)
    if not reply then return nil, err end
    local line = gw.session(tonumber(reply.headers.line) or reply.headers.line)
    local client = setmetatable({
        id = tonumber(reply.headers.id) or reply.headers.id,
        uid = line.uid,
        client_id = line.client_id,
        line = line,
        inbox = {},
        responders = {},
    }, Client)
    clients[line.id] = client
    return client
end

-- Lets everything happen that is to happen now, and then so much time pass.
function test.advance(duration)
    local seconds = host.seconds(duration, "test.advance", 2)
    ask_runner("patience", { seconds = tostring(seconds) })
    gw.sleep(seconds)
end

-- Lets everything happen that is to happen now.
function test.settle() gw.sleep(0) end

-- What an operator runs by `godwit script run APP NAME ARG…`: its answer, or nil, err.
function test.command(name, ...)
    check_name(name, "test.command")
    local headers = { name = name }
    for index = 1, select("#", ...) do headers[tostring(index)] = tostring((select(index, ...))) end
    local reply, err = ask_runner("command", headers)
    if not reply then return nil, err end
    return gw.json.decode(reply.body)
end

globals.test = host.view("test", test)

-- Asks the app: a table with body and headers, or nil, err. Options as of session:request.
function methods.request(client, action, body, options)
    return client_at(client, "request").line:request(action, body, options)
end

function methods.query(client, action, body, options)
    local with_kind = { kind = "query" }
    for name, value in pairs(options or {}) do with_kind[name] = value end
    return client_at(client, "query").line:request(action, body, with_kind)
end

-- An event for the app; returns when its handler has it (or refused it), unless the options say confirm = false.
function methods.event(client, action, body, options)
    local confirmed = { confirm = true }
    for name, value in pairs(options or {}) do confirmed[name] = value end
    if confirmed.confirm == false then confirmed.confirm = nil end
    return client_at(client, "event").line:send(action, body, confirmed)
end

-- fn(message) answers what the app asks of this client: it returns body and headers, or nil and an error (gw.err).
function methods.on(client, action, fn)
    check_function(fn, "s:on")
    client_at(client, "on").responders[action] = fn
end

-- What the app has sent to this client: a list of tables with kind, action, body, headers; of one action, or all.
function methods.received(client, action)
    client_at(client, "received")
    gw.sleep(0)
    local found = {}
    for _, message in ipairs(client.inbox) do
        if action == nil or message.action == action then found[#found + 1] = message end
    end
    return found
end

-- Forgets what was received.
function methods.forget(client)
    client_at(client, "forget")
    gw.sleep(0)
    client.inbox = {}
end

-- The client goes away.
function methods.close(client)
    return ask_runner("disconnect", { line = tostring(client_at(client, "close").line.id) }) ~= nil
end

-- False once either side has ended the session.
function methods.alive(client)
    client_at(client, "alive")
    gw.sleep(0)
    return client.line:alive()
end

-- The groups it is in, in order.
function methods.groups(client)
    local reply = ask_runner("groups", { id = tostring(client_at(client, "groups").id) })
    local names = {}
    for name in (reply and reply.body or ""):gmatch("[^\n]+") do names[#names + 1] = name end
    sort(names)
    return names
end

-- An attribute that the app keeps about it, as text; nil when there is none.
function methods.get(client, name)
    local reply = ask_runner("attribute", { id = tostring(client_at(client, "get").id), name = name })
    return reply and reply.body
end

-- Specs may declare globals whenever they like: what they leave behind ends with the case.
local load_app = host.load
function host.load()
    host.freeze = function() end
    load_app(host.spec_file)
end

