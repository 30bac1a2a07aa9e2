-- Other addresses: messages that are looked up under another action, and handlers that hand a message on.
local host = ...

local gw, bridge, handlers = host.gw, host.bridge, host.handlers
local self = bridge.self
local error, getmetatable, type = error, getmetatable, type

-- Another action's handler answers, once. nil and an error when there is none: then it is still this handler's to answer.
function host.message_methods.forward(message, action)
    if getmetatable(message) ~= "message" then error("msg:forward must be called with a colon on a message", 2) end
    if type(action) ~= "string" then error("msg:forward: the action must be a string, got " .. type(action), 2) end
    local record = host.record_of(message)
    if not record then return nil, host.new_error(host.errors.StaleHandle) end
    local code = bridge.forward(self, record, action, #action)
    if code == 0 then return true end
    return nil, host.new_error(code)
end

local function by_function(fn)
    return function(msg, session)
        local target, err = fn(msg, session)
        if type(target) == "string" then
            local ok
            ok, err = msg:forward(target)
            if ok then return end
        end
        msg:fail(host.code_of(type(err) == "table" and err.code) or host.errors.RouteFailed)
    end
end

-- Messages that match the pattern go where the handler of another action is bound: of `target`, whose wildcards stand for
-- what the pattern's matched, or of what fn(msg, session) returns. Only while the app loads.
function gw.route(pattern, target)
    host.check_loading("gw.route", "routes are bound")
    if type(pattern) ~= "string" then error("gw.route: the pattern must be a string, got " .. type(pattern), 2) end
    local reason
    if type(target) == "string" then
        reason = host.route(pattern, target)
    elseif type(target) == "function" then
        reason = host.bind_bare(pattern, by_function(target))
    else
        error("gw.route: the target must be an action or a function, got " .. type(target), 2)
    end
    if reason then error("gw.route: " .. reason, 2) end
end
