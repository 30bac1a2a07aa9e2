-- Waiting: a coroutine begins something with a token, yields to the host, and goes on when somebody wakes the token.
local host = ...

local bridge = host.bridge
local self = bridge.self
local error, pcall, tonumber, type = error, pcall, tonumber, type
local yield = coroutine.yield
local kMark = host.wait_mark
local kCancelled, kRetired = host.errors.Cancelled, host.errors.ScriptRetired
local kTimeout, kDeadline = host.errors.ScriptTimeout, host.errors.DeadlineExceeded

-- A token for something that is about to begin; nil and an error when too many wait. `name` is the function that waits.
function host.new_wait(name)
    if not host.loaded then
        error(name .. ": nothing can wait while the app loads; gw.spawn and gw.after run a function once it is live", 3)
    end
    local token = bridge.begin_wait(self)
    if token == 0 then return nil, host.new_error(host.errors.CoroutineLimit) end
    return token
end

-- The tasks by number, for tasks.lua: what one waits for is kept there, so that it can be cancelled.
local tasks = {}
host.tasks = tasks

-- Waits, and returns the code that the wait ended with; the rest is in bridge.wake until the next wait. Raises when the
-- task or handler is to end: it was cancelled, its time is over, or its generation is retired.
function host.wait(token)
    local task = tasks[bridge.task]
    if task then
        if task.cancelled then
            bridge.forget_wait(self, token)
            error(host.new_error(kCancelled), 0)
        end
        task.token = token
    end
    bridge.waits_for = token
    local ok = pcall(yield, kMark)
    if task then task.token = nil end
    if not ok then
        bridge.forget_wait(self, token)
        error("cannot wait here: a function of C (string.gsub, table.sort, …) called this code and cannot be left", 3)
    end
    local code = bridge.wake.code
    if code == kCancelled or code == kRetired or code == kTimeout then error(host.new_error(code), 0) end
    return code
end

-- True when somebody waited for it.
function host.wake(token) return bridge.wake_up(self, token, 0, 0) end

local units = { ms = 0.001, s = 1, m = 60, h = 3600, us = 0.000001 }

-- A duration as seconds: a number of seconds, or text such as "200ms".
function host.seconds(value, what, level)
    if type(value) == "string" then
        local number, unit = value:match("^(%d+%.?%d*)(%a+)$")
        if number and units[unit] then return tonumber(number) * units[unit] end
    elseif type(value) == "number" and value >= 0 then
        return value
    end
    error(what .. ': expected seconds, or text such as "200ms", "1.5s", "2m"', (level or 2) + 1)
end

-- Waits for the token, or for so long if that is given. The code, kDeadline when the time was over first.
function host.wait_at_most(token, seconds)
    if seconds then bridge.wake_after(self, token, seconds) end
    return host.wait(token)
end

function host.gw.sleep(duration)
    local seconds = host.seconds(duration, "gw.sleep", 2)
    local token, err = host.new_wait("gw.sleep")
    if not token then return nil, err end
    bridge.wake_after(self, token, seconds)
    local code = host.wait(token)
    if code == kDeadline then return true end
    return nil, host.new_error(code)
end

host.kDeadline = kDeadline

-- coroutine: a script's own coroutines let a wait pass through to the host, and go on when it is over.
local resume, create = coroutine.resume, coroutine.create
local select = select

local function pass(thread, ok, first, ...)
    if ok and first == kMark and select("#", ...) == 0 then
        yield(kMark)
        return pass(thread, resume(thread))
    end
    return ok, first, ...
end

local function raise_or_return(ok, ...)
    if not ok then error((...), 0) end
    return ...
end

local coroutines, check_stack = host.coroutines, host.check_stack
function coroutines.resume(thread, ...)
    check_stack()
    return pass(thread, resume(thread, ...))
end
function coroutines.wrap(fn)
    local thread = create(fn)
    return function(...)
        check_stack()
        return raise_or_return(pass(thread, resume(thread, ...)))
    end
end
