-- The module `godwit`, by convention `local gw = require "godwit"`.
local host = ...

local error, pairs, setmetatable, tostring, type = error, pairs, setmetatable, tostring, type

local gw = { errors = host.errors, info = host.view("gw.info", host.info) }
host.gw = gw
local handlers, first_seen = {}, {}
host.handlers = handlers

-- file:line of the code that called the API.
local getinfo = debug.getinfo
local function caller()
    local info = getinfo(3, "Sl")
    return info.short_src .. ":" .. info.currentline
end

local kOnError = { fail = true, pass = true, close = true }

local function check_options(options)
    for name, value in pairs(options) do
        if name == "ordered" then
            if type(value) ~= "boolean" then error("gw.handle: option 'ordered' must be true or false", 3) end
        elseif name == "on_error" then
            if not kOnError[value] then error("gw.handle: option 'on_error' must be 'fail', 'pass' or 'close'", 3) end
        elseif name == "priority" then
            if type(value) ~= "number" or value < 0 or value > 1000 or value % 1 ~= 0 then
                error("gw.handle: option 'priority' must be a whole number from 0 to 1000", 3)
            end
        elseif name == "idempotent" then
            if type(value) ~= "boolean" and value ~= "again" then
                error("gw.handle: option 'idempotent' must be true, false or 'again'", 3)
            end
        elseif name == "key" then
            if type(value) ~= "string" or #value < 1 or #value > 128 then
                error("gw.handle: option 'key' must be the name of a header, 1 to 128 bytes", 3)
            end
        elseif name ~= "timeout" then
            error("gw.handle: unknown option '" .. tostring(name) .. "'", 3)
        end
    end
    local timeout = options.timeout ~= nil and host.seconds(options.timeout, "gw.handle: option 'timeout'", 3) or nil
    local once = options.idempotent == "again" and "again" or options.idempotent and "once" or nil
    return timeout, options.ordered ~= false, options.on_error, options.priority, once, options.key
end

-- Binds a function without a layer of middleware, or with. Nothing, or the reason why not.
local bare = {}
local function bind(pattern, fn, where, is_bare, ...)
    if first_seen[pattern] then return ("'%s' is bound already at %s"):format(pattern, first_seen[pattern]) end
    local reason = host.register(pattern, where, ...)
    if reason then return reason end
    handlers[#handlers + 1] = fn
    bare[#handlers] = is_bare
    first_seen[pattern] = where
end
function host.bind_bare(pattern, fn)
    local info = getinfo(3, "Sl")
    return bind(pattern, fn, info.short_src .. ":" .. info.currentline, true, nil, true)
end

-- Binds a function to messages. `options`: `timeout` for all of a handler that waits (default: scripts.handler_timeout),
-- `ordered` = false lets later messages of a session overtake while this handler waits, `on_error` = "pass" takes an error
-- for a return instead of failing the message, "close" closes the session, too; of equally specific patterns of several apps
-- the lower `priority` gets the message (default: 100); with `idempotent` = true a command with a header
-- idempotency-key is executed once, and repetitions of the same uid hear the first answer ("again": what broke off is
-- executed once more); with `key` = "NAME" messages that have a header of that name are handled one after the other for each
-- of its values, in the order in which they came, whichever sessions and workers they came by. Only while the app loads, so that what an app handles is known
-- before it goes live.
function gw.handle(pattern, fn, options)
    if host.loaded then
        error("gw.handle: handlers are bound while the app loads; call it at the top level of main.lua or of a module", 2)
    end
    if type(pattern) ~= "string" then error("gw.handle: the pattern must be a string, got " .. type(pattern), 2) end
    if type(fn) ~= "function" then error("gw.handle: the handler must be a function, got " .. type(fn), 2) end
    if options ~= nil and type(options) ~= "table" then error("gw.handle: options must be a table, got " .. type(options), 2) end
    local reason = bind(pattern, fn, caller(), false, check_options(options or {}))
    if reason then error("gw.handle: " .. reason, 2) end
end

-- Middleware: goes around every handler of the app, the first registered outermost. fn(msg, session, next) calls next() for
-- what is inside of it, or answers by itself and does not.
local layers = {}
host.repeats = setmetatable({}, { __mode = "k" })  -- those that may call next more than once
function gw.use(fn)
    if host.loaded then error("gw.use: middleware is bound while the app loads", 2) end
    if type(fn) ~= "function" then error("gw.use: expected a function, got " .. type(fn), 2) end
    layers[#layers + 1] = fn
end

local function wrap(layer, inner)
    return function(msg, session)
        local called = false
        return layer(msg, session, function()
            if called and not host.repeats[layer] then error("gw.use: next was called twice", 2) end
            called = true
            return inner(msg, session)
        end)
    end
end

-- After loading: handlers with their layers around them.
function host.wrap_handlers()
    for index, handler in ipairs(handlers) do
        for layer = bare[index] and 0 or #layers, 1, -1 do handler = wrap(layers[layer], handler) end
        handlers[index] = handler
    end
end

-- An error as a value: to be returned as `nil, err`, or raised, which fails the message with its code and text.
function gw.err(code, text, options)
    local number = host.code_of(code)
    if not number then error("gw.err: '" .. tostring(code) .. "' is no error code; see gw.errors", 2) end
    local retry_after = host.retry_after_of(options, "gw.err")
    return host.new_error(number, text ~= nil and tostring(text) or nil, retry_after > 0 and retry_after or nil)
end

local function logger(level)
    return function(text, fields)
        if fields ~= nil and type(fields) ~= "table" then error("gw.log: fields must be a table of name = value", 2) end
        host.log(level, tostring(text), fields)
    end
end

local log = {}
for _, level in ipairs({ "trace", "debug", "info", "warn", "error" }) do log[level] = logger(level) end
gw.log = host.view("gw.log", log)

-- Seconds since 1970, and seconds on a clock that never goes back.
function gw.time() return host.unix_time() end
function gw.now() return host.now() end

host.api = host.view("godwit", gw)
