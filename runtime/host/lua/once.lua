-- gw.once: what has a key happens once, however often and on however many workers it is asked for.
local host = ...

local gw, bridge, native, text_of = host.gw, host.bridge, host.once, host.ffi.string
local error, getmetatable, pairs, pcall, tostring, type = error, getmetatable, pairs, pcall, tostring, type
local errors = host.errors
local kInterrupted = { [errors.Cancelled] = true, [errors.ScriptRetired] = true, [errors.ScriptTimeout] = true }
local kDurations = { ttl = true, lease = true, wait = true }

local function check_options(options)
    for name, value in pairs(options) do
        if name == "again" then
            if type(value) ~= "boolean" then error("gw.once: option 'again' must be true or false", 3) end
        elseif not kDurations[name] then
            error("gw.once: unknown option '" .. tostring(name) .. "'", 3)
        end
    end
    local function seconds(name, default)
        return options[name] ~= nil and host.seconds(options[name], "gw.once: option '" .. name .. "'", 4) or default
    end
    return seconds("ttl", 0), seconds("lease", 0), seconds("wait", host.handler_timeout), options.again == true
end

local function decoded(text)
    local value, broken = gw.json.decode(text)
    if value == nil then return nil, broken end
    if value == gw.json.null then return nil end
    return value
end

-- Waits until the outcome is kept. What cannot be waited for any more is kept all the same.
local function finish(run, code, text, body)
    local token, err = host.new_wait("gw.once")
    if not token then
        native.drop(run)
        return nil, err
    end
    native.finish(run, token, code, text, body)
    host.wait(token)
    return true
end

local function failed(run, err)
    local code = type(err) == "table" and host.code_of(err.code) or errors.ScriptError
    return finish(run, code, tostring(type(err) == "table" and err.message or err), "")
end

local function execute(run, fn)
    native.enter(run)
    local ok, value, err = pcall(fn)
    if not ok then
        if getmetatable(value) == "error" and kInterrupted[value.code] then
            native.drop(run)
        else
            failed(run, value)
        end
        error(value, 0)
    end
    if value == nil and err ~= nil then
        failed(run, err)
        return nil, err
    end
    local text, reason = gw.json.encode(value == nil and gw.json.null or value)
    if not text then
        failed(run, reason)
        return nil, reason
    end
    local kept, refused = finish(run, 0, "", text)
    if not kept then return nil, refused end
    return value
end

-- The value that fn() returned when it was executed for this key, in this call or in another: plain data, as JSON has it;
-- or nil and an error, which is kept likewise. `options`: `ttl` of the outcome, `lease` after which an execution whose
-- process died counts as broken off, `wait` for an execution that is under way (then OperationExecuting); what broke off
-- is OperationUnknown from then on, or is executed once more with `again` = true.
function gw.once(key, options, fn)
    if fn == nil and type(options) == "function" then options, fn = {}, options end
    if type(key) ~= "string" then error("gw.once: the key must be a string, got " .. type(key), 2) end
    if options ~= nil and type(options) ~= "table" then error("gw.once: options must be a table, got " .. type(options), 2) end
    if type(fn) ~= "function" then error("gw.once: expected a function, got " .. type(fn), 2) end
    local ttl, lease, wait, again = check_options(options or {})
    local token, err = host.new_wait("gw.once")
    if not token then return nil, err end
    if not native.begin(token, key, ttl, lease, wait, again) then
        bridge.forget_wait(bridge.self, token)
        return nil, host.new_error(errors.NotSupported, "there is no store here")
    end
    host.wait(token)
    local wake = bridge.wake
    if wake.number > 0 then return execute(wake.number, fn) end
    if wake.number < 0 then return nil, host.new_error(-wake.number, text_of(wake.text.data, wake.text.size)) end
    return decoded(host.wake_body())
end
