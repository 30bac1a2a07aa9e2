-- How bodies travel: plans for some sizes instead of the default's.
local host = ...

local gw, strategies = host.gw, host.strategies
local error, pairs, tonumber, tostring, type = error, pairs, tonumber, tostring, type
local getinfo = debug.getinfo

local kUnits = { B = 1, KiB = 2 ^ 10, MiB = 2 ^ 20, GiB = 2 ^ 30 }

-- A number of bytes, or nil.
local function to_bytes(value)
    if type(value) == "number" and value >= 0 then return value end
    if type(value) ~= "string" then return nil end
    local number, unit = value:match("^(%d+)(%a+)$")
    return number and kUnits[unit] and tonumber(number) * kUnits[unit]
end

local function range_of(options)
    for name in pairs(options) do
        if name ~= "min" and name ~= "max" then
            error("gw.strategy: unknown option '" .. tostring(name) .. "'", 3)
        end
        if not to_bytes(options[name]) then
            error(("gw.strategy: option '%s': expected bytes, or text such as \"64KiB\""):format(name), 3)
        end
    end
    return to_bytes(options.min) or 0, to_bytes(options.max)
end

local functions, places = {}, {}

-- Plans how bodies travel whose size lies between the options `min` and `max` (bytes, both included; default: all): fn(info)
-- returns what is to be other than in `info.plan`, or nil to leave it as it is. It is asked when the app goes live, for every
-- size class and kind of path, and its answers are kept; it must not wait. An answer that makes no sense leaves its whole
-- range to the default.
function gw.strategy(fn, options)
    host.check_loading("gw.strategy", "strategies are bound")
    if type(fn) ~= "function" then error("gw.strategy: expected a function, got " .. type(fn), 2) end
    if options ~= nil and type(options) ~= "table" then error("gw.strategy: the options must be a table", 2) end
    local reason = strategies.declare(range_of(options or {}))
    if reason then error("gw.strategy: " .. reason, 2) end
    functions[#functions + 1] = fn
    local info = getinfo(2, "Sl")
    places[#functions] = info.short_src .. ":" .. info.currentline
end

local function whole(value) return type(value) == "number" and value or nil end
local function text(value) return type(value) == "string" and value or nil end
local function truth(value)
    if type(value) == "boolean" then return value end
end

local kClasses = { tiny = true, small = true, medium = true, large = true, huge = true }
local kLanes = { shared = true, own = true }
-- By name, what a plan may hold, and how it is read: nil is wrong.
local kReaders = {
    class = function(value) return kClasses[value] and value end,
    lane = function(value) return kLanes[value] and value end,
    buffer = to_bytes, chunk = to_bytes,
    timeout = function(value) return (whole(value) or text(value)) and host.seconds(value, "gw.strategy: timeout", 0) end,
    retries = whole, streams = whole, compress = truth,
}

-- About the one question that the host holds.
function host.make_plan()
    local number, info = strategies.question()
    local wanted = functions[number](info)
    if wanted == nil then return end
    local where = places[number]
    if type(wanted) ~= "table" then error(where .. ": gw.strategy: expected a table or nil, got " .. type(wanted), 0) end
    local plan = {}
    for name, value in pairs(wanted) do
        local read = kReaders[name]
        if not read then error(("%s: gw.strategy: '%s' is nothing of a plan"):format(where, tostring(name)), 0) end
        plan[name] = read(value)
        if plan[name] == nil then
            error(("%s: gw.strategy: %s cannot be %s"):format(where, name, tostring(value)), 0)
        end
    end
    strategies.answer(plan.class, plan.lane, plan.buffer, plan.chunk, plan.timeout, plan.retries, plan.streams, plan.compress)
end
