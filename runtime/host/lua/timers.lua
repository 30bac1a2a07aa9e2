-- Timers: functions that run later or again and again. They belong to a generation: with it they begin and end.
local host = ...

local gw, bridge = host.gw, host.bridge
local error, getmetatable, ipairs, pairs, pcall, tonumber, tostring, type =
    error, getmetatable, ipairs, pairs, pcall, tonumber, tostring, type
local floor, max, random = math.floor, math.max, math.random
local xpcall, traceback = xpcall, debug.traceback

local periodic = {}      -- registered while loading
local sleeping = {}      -- tasks of timers that sleep: those end when the generation is retired

local function check_function(fn, name)
    if type(fn) ~= "function" then error(name .. ": expected a function, got " .. type(fn), 3) end
end

-- Runs the function once, in so long; while the app loads, counted from when it is live. timer:cancel() ends it.
function gw.after(delay, fn, ...)
    local seconds = host.seconds(delay, "gw.after", 2)
    check_function(fn, "gw.after")
    local task, err
    task, err = host.spawn(function(...)
        sleeping[task] = true
        gw.sleep(seconds)
        sleeping[task] = nil
        return fn(...)
    end, ...)
    return task, err
end

local kOptions = { jitter = "number", each_worker = "boolean" }

local function check_options(options, name)
    for key, value in pairs(options or {}) do
        local wanted = kOptions[key]
        if not wanted then error(name .. ": unknown option '" .. tostring(key) .. "'", 3) end
        if type(value) ~= wanted then error(("%s: option '%s' must be a %s"):format(name, key, wanted), 3) end
    end
    return options or {}
end

local function register(name, next_at, fn, options)
    if host.loaded then error(name .. ": timers are bound while the app loads; gw.after works at any time", 3) end
    check_function(fn, name)
    if #periodic >= host.timers_max then error(("%s: more than %d timers"):format(name, host.timers_max), 3) end
    periodic[#periodic + 1] = { next_at = next_at, fn = fn, options = check_options(options, name) }
    bridge.timers = #periodic
end

-- Again and again at a fixed rate; a time that was missed is left out. On one worker of the process, unless
-- `each_worker`; `jitter` is a share of the interval (0 to 1) by which each time is put off at random.
function gw.every(interval, fn, options)
    local seconds = host.seconds(interval, "gw.every", 2)
    if seconds < 0.001 then error("gw.every: the interval must be at least 1ms", 2) end
    local jitter = options and tonumber(options.jitter) or 0
    local started
    register("gw.every", function(now)
        started = started or now
        local count = floor((now - started) / seconds + 1e-9) + 1
        return started + count * seconds + random() * jitter * seconds
    end, fn, options)
end

-- cron: five fields of numbers, lists, ranges, steps and *; UTC.
local kFields = { { "minute", 0, 59 }, { "hour", 0, 23 }, { "day", 1, 31 }, { "month", 1, 12 }, { "weekday", 0, 7 } }

local function parse_part(part, least, most)
    local range, step = part:match("^(.-)/(%d+)$")
    range, step = range or part, tonumber(step or 1)
    local from, to = range:match("^(%d+)%-(%d+)$")
    if range == "*" then from, to = least, most end
    from = tonumber(from or range)
    to = tonumber(to or (part:find("/", 1, true) and most or from))
    if not from or not to or step < 1 or from < least or to > most or from > to then return nil end
    return from, to, step
end

local function parse_field(text, field)
    local set = {}
    for part in (text .. ","):gmatch("(.-),") do
        local from, to, step = parse_part(part, field[2], field[3])
        if not from then return nil end
        for value = from, to, step do set[value] = true end
    end
    return set
end

local function parse_cron(expression)
    local sets, texts = {}, {}
    for text in expression:gmatch("%S+") do
        local field = kFields[#sets + 1]
        if not field then return nil, "more than five fields" end
        local set = parse_field(text, field)
        if not set then
            return nil, ("'%s' is no %s: numbers from %d to %d, lists, ranges, steps or *"):format(text, field[1], field[2],
                field[3])
        end
        sets[#sets + 1], texts[#texts + 1] = set, text
    end
    if #sets < 5 then return nil, "five fields are needed: minute hour day month weekday" end
    sets[5][0] = sets[5][0] or sets[5][7]
    -- As cron has it: when both days are restricted, either will do.
    sets.either_day = texts[3] ~= "*" and texts[5] ~= "*"
    return sets
end

local date = host.date

local function matches_day(sets, at)
    local day, weekday = sets[3][at.day], sets[5][at.wday - 1]
    if sets.either_day then return day or weekday end
    return day and weekday
end

-- The next minute that matches, in seconds since 1970; nil when there is none within four years.
local function next_time(sets, unix)
    local minute = floor(unix / 60) + 1
    local limit = minute + 4 * 366 * 1440
    while minute < limit do
        local at = date("!*t", minute * 60)
        if not sets[4][at.month] or not matches_day(sets, at) then
            minute = (floor(minute / 1440) + 1) * 1440
        elseif not sets[2][at.hour] then
            minute = (floor(minute / 60) + 1) * 60
        elseif not sets[1][at.min] then
            minute = minute + 1
        else
            return minute * 60
        end
    end
end

-- At the times of a cron expression, in UTC.
function gw.cron(expression, fn, options)
    if type(expression) ~= "string" or #expression > 256 then error("gw.cron: expected an expression of five fields", 2) end
    local sets, reason = parse_cron(expression)
    if not sets then error("gw.cron: " .. reason, 2) end
    if not next_time(sets, host.unix_time()) then error("gw.cron: '" .. expression .. "' never comes", 2) end
    register("gw.cron", function(now)
        local unix = host.unix_time()
        local at = next_time(sets, unix)
        return at and now + (at - unix)
    end, fn, options)
end

local function report(reason)
    host.log("error", "timer failed", { error = tostring(reason), traceback = traceback("", 2) })
    return reason
end

local function run_timer(timer)
    while true do
        local now = host.now()
        local at = timer.next_at(now)
        if not at then return end
        sleeping[timer.task] = true
        gw.sleep(max(at - now, 0))
        sleeping[timer.task] = nil
        if host.retired then return end
        xpcall(timer.fn, report)
    end
end

-- The app is live; again, when it takes over from its successor.
function host.start()
    host.started, host.retired = true, false
    host.start_tasks()
    for _, timer in ipairs(periodic) do
        if host.info.worker == 0 or timer.options.each_worker then timer.task = host.spawn(run_timer, timer) end
    end
end

-- Another generation took over.
function host.retire()
    host.retired = true
    for task in pairs(sleeping) do task:cancel() end
end
