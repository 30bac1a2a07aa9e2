-- gw.work: runs a function of one of the app's modules on a thread of the pool, in a Lua state of its own. Plain data goes
-- in and out, as JSON has it.
local host = ...

local gw, bridge = host.gw, host.bridge
local error, getmetatable, pairs, select, tostring, type, unpack =
    error, getmetatable, pairs, select, tostring, type, unpack

local function null_if_nil(value) return value == nil and gw.json.null or value end
local function nil_if_null(value)
    if value == gw.json.null then return nil end
    return value
end

-- Waits: what the function returned first, or nil and why it did not: its error, or what it returned behind nil.
function gw.work(module, name, ...)
    if type(module) ~= "string" then error("gw.work: the module's name must be a string, got " .. type(module), 2) end
    if type(name) ~= "string" then error("gw.work: the function's name must be a string, got " .. type(name), 2) end
    local arguments, count = {}, select("#", ...)
    for i = 1, count do arguments[i] = null_if_nil((select(i, ...))) end
    local call, reason =
        gw.json.encode({ module = module, name = name, count = count, arguments = gw.json.array(arguments) })
    if not call then return nil, reason end
    local token, err = host.new_wait("gw.work")
    if not token then return nil, err end
    local begun, code, text = host.begin_work(token, call)
    if not begun then
        bridge.forget_wait(bridge.self, token)
        return nil, host.new_error(code, text)
    end
    code = host.wait(token)
    if code ~= 0 then return nil, host.new_error(code) end
    local wake = bridge.wake
    if wake.number ~= 0 then return nil, host.new_error(wake.number, host.ffi.string(wake.text.data, wake.text.size)) end
    local value, broken = gw.json.decode(host.wake_body())
    if value == nil then return nil, broken end
    return nil_if_null(value)
end

-- In the pool: no main.lua is run there, and nothing registered.
function host.load_for_work()
    host.loaded = true
    host.freeze()
end

local function raise(err)
    if getmetatable(err) == "error" then error(err, 0) end
    error(tostring(err), 0)
end

function host.work()
    local call, broken = gw.json.decode(host.take_state())
    if not call then error(broken.message, 0) end
    local module = host.globals.require(call.module)
    local fn = type(module) == "table" and module[call.name]
    if type(fn) ~= "function" then
        error(("gw.work: the module '%s' has no function '%s'"):format(call.module, call.name), 0)
    end
    local arguments = {}
    for i, value in pairs(call.arguments) do arguments[i] = nil_if_null(value) end
    local value, err = fn(unpack(arguments, 1, call.count))
    if value == nil and err ~= nil then raise(err) end
    local text, reason = gw.json.encode(null_if_nil(value))
    if not text then raise(reason) end
    host.give_state(text)
end
