-- gw.kv: values by name that this app's code on all workers of the process shares, and that outlive its generations.
local host = ...

local gw, kv = host.gw, host.kv
local error, type = error, type
local value_or_error, check_live, check_string, check_value =
    host.value_or_error, host.check_live, host.check_string, host.check_value

local function ttl_of(ttl, name) return ttl ~= nil and host.seconds(ttl, name .. ": the ttl", 3) or 0 end

local function check_number(value, name, what)
    if type(value) ~= "number" then error(("%s: %s must be a number, got %s"):format(name, what, type(value)), 3) end
end

local functions = {}

function functions.get(key)
    check_string(key, "gw.kv.get", "the key")
    return (kv.get(key))
end

function functions.set(key, value, ttl)
    check_live("gw.kv.set")
    check_string(key, "gw.kv.set", "the key")
    check_value(value, "gw.kv.set")
    return value_or_error(kv.set(key, value, ttl_of(ttl, "gw.kv.set")))
end

-- True when the key was not there and is now.
function functions.add(key, value, ttl)
    check_live("gw.kv.add")
    check_string(key, "gw.kv.add", "the key")
    check_value(value, "gw.kv.add")
    return value_or_error(kv.add(key, value, ttl_of(ttl, "gw.kv.add")))
end

-- The sum. A key that is not there begins at `initial`, and has the ttl from then on.
function functions.incr(key, by, initial, ttl)
    check_live("gw.kv.incr")
    check_string(key, "gw.kv.incr", "the key")
    by, initial = by == nil and 1 or by, initial == nil and 0 or initial
    check_number(by, "gw.kv.incr", "what is added")
    check_number(initial, "gw.kv.incr", "the initial value")
    return value_or_error(kv.incr(key, by, initial, ttl_of(ttl, "gw.kv.incr")))
end

-- True when the value was `old` (nil: not there) and is `new` (nil: not there) now.
function functions.cas(key, old, new, ttl)
    check_live("gw.kv.cas")
    check_string(key, "gw.kv.cas", "the key")
    if old ~= nil then check_value(old, "gw.kv.cas") end
    if new ~= nil then check_value(new, "gw.kv.cas") end
    return value_or_error(kv.cas(key, old, new, ttl_of(ttl, "gw.kv.cas")))
end

-- Whether there was something to remove.
function functions.del(key)
    check_live("gw.kv.del")
    check_string(key, "gw.kv.del", "the key")
    return kv.del(key)
end

-- Seconds that are left; math.huge for ever; nil when the key is not there.
function functions.ttl(key)
    check_string(key, "gw.kv.ttl", "the key")
    return (kv.ttl(key))
end

-- In the order of their bytes, beyond `after`.
function functions.keys(prefix, limit, after)
    prefix, limit, after = prefix == nil and "" or prefix, limit == nil and 100 or limit, after == nil and "" or after
    check_string(prefix, "gw.kv.keys", "the prefix")
    check_number(limit, "gw.kv.keys", "the limit")
    check_string(after, "gw.kv.keys", "the last key")
    if limit < 1 or limit > 1000 then error("gw.kv.keys: the limit must be 1 to 1000", 2) end
    return kv.keys(prefix, after, limit)
end

gw.kv = host.view("gw.kv", functions)
