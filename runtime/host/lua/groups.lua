-- Groups of sessions, and messages for many.
local host = ...

local gw, services = host.gw, host.services
local error, pairs, setmetatable, tonumber, type = error, pairs, setmetatable, tonumber, type
local new_error = host.new_error

local kBroadcastOptions = { group = true, except = true, report = true, unreliable = true }
local kPublishOptions = { except = true, report = true, unreliable = true }

local function begin_broadcast(token, group, except, action, body, headers, timeout, ttl, priority, order)
    return services.broadcast(group, action, body, headers, timeout, ttl, priority, order, token, except)
end

-- How many it is on its way to. With `report` it waits until all have it or refused it: how many have it, and a list of
-- those that refused it with why.
local function broadcast(name, group, action, options, ...)
    local except = options.except ~= nil and host.key_from(options.except, name .. ": option 'except'") or 0
    if not options.report then
        local body, headers, timeout, ttl, priority, order = ...
        return host.value_or_error(
            services.broadcast(group, action, body, headers, timeout, ttl, priority, order, nil, except))
    end
    local ok, err = host.begin_and_wait(name, begin_broadcast, group, except, action, ...)
    if not ok then return nil, err end
    local sent, refused = tonumber(host.wake_body()), {}
    for key, code in pairs(host.wake_headers()) do
        refused[#refused + 1] = { id = tonumber(key) < 2 ^ 53 and tonumber(key) or key, error = new_error(tonumber(code)) }
    end
    return sent, refused
end

function gw.broadcast(action, body, options)
    local group = type(options) == "table" and options.group
    if group then host.check_string(group, "gw.broadcast", "option 'group'") end
    return broadcast("gw.broadcast", group or "", action,
        host.check_message("gw.broadcast", kBroadcastOptions, action, body, options))
end

local methods = {}
local group_view = host.view_maker("group")
local kContents = { __index = methods }
local name_of = setmetatable({}, { __mode = "k" })

local function check_self(group, method)
    local name = name_of[group]
    if not name then error("group:" .. method .. " must be called with a colon on a group", 3) end
    return name
end

function gw.group(name)
    host.check_string(name, "gw.group", "the name")
    if name == "" or #name > 256 then error("gw.group: the name must have 1 to 256 bytes", 2) end
    local group = group_view(setmetatable({ name = name }, kContents))
    name_of[group] = name
    return group
end

function methods.publish(group, action, body, options)
    local name = check_self(group, "publish")
    return broadcast("group:publish", name, action,
        host.check_message("group:publish", kPublishOptions, action, body, options))
end

-- The sessions beyond the cursor, and the cursor for the next call; nil when these are the last.
function methods.members(group, cursor, limit)
    return gw.sessions({ group = check_self(group, "members"), cursor = cursor, limit = limit })
end

function methods.count(group) return services.group_size(check_self(group, "count")) end

function methods.join(group, session)
    local name = check_self(group, "join")
    host.check_live("group:join")
    return host.value_or_error(services.join(host.key_from(session, "group:join"), name))
end

function methods.leave(group, session)
    local name = check_self(group, "leave")
    host.check_live("group:leave")
    return host.value_or_error(services.leave(host.key_from(session, "group:leave"), name))
end
