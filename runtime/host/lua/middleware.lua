-- gw.middleware: what is often wanted around handlers, made to be given to gw.use.
local host = ...

local gw, record_of = host.gw, host.record_of
local error, getmetatable, math, next, pairs, pcall, tostring, type =
    error, getmetatable, math, next, pairs, pcall, tostring, type
local kOpen, kCancelled = host.ffi.C.GW_OPEN, host.errors.Cancelled

local kBucketsMax = 10000       -- of rate_limit, per VM: who was not seen for long begins with a full one
local kAttemptsMax = 10

local made = {}

-- The options that were given, in place of those that there are.
local function options_of(name, given, known)
    if given ~= nil and type(given) ~= "table" then error(name .. ": the options must be a table", 3) end
    local options = {}
    for option, default in pairs(known) do options[option] = default end
    for option, value in pairs(given or {}) do
        if known[option] == nil then error(("%s: unknown option '%s'"):format(name, tostring(option)), 3) end
        options[option] = value
    end
    return options
end

local function number_of(name, options, option, least, most)
    local value = options[option]
    if type(value) ~= "number" or value < least or value > most then
        error(("%s: option '%s' must be a number from %s to %s"):format(name, option, least, most), 3)
    end
    return value
end

-- It has no answer yet, and its answer was not put off.
local function is_open(msg)
    local record = record_of(msg)
    return record ~= nil and record.state == kOpen
end

-- One line for each message that was handled, with how long that took. One that failed has a line of the host's.
function made.log(given)
    local options = options_of("gw.middleware.log", given, { level = "info" })
    local write = gw.log[options.level]
    if not write then error("gw.middleware.log: option 'level' must be trace, debug, info, warn or error", 2) end
    return function(msg, session, inner)
        local begun, action, id = gw.now(), msg.action, msg.id
        inner()
        write("handled", { action = action, message = id, client = session and session.client_id,
            ms = (gw.now() - begun) * 1000 })
    end
end

-- fn(msg, err) decides what becomes of a message whose handler raised something; when it leaves the message open, the
-- error goes on as if nobody had looked.
function made.recover(fn)
    if type(fn) ~= "function" then error("gw.middleware.recover: expected a function, got " .. type(fn), 2) end
    return function(msg, _, inner)
        local ok, err = pcall(inner)
        if ok then return end
        fn(msg, err)
        if is_open(msg) then error(err, 0) end
    end
end

-- Everything inside has so long; then it is cancelled, and the message fails with DeadlineExceeded.
function made.timeout(duration)
    local seconds = host.seconds(duration, "gw.middleware.timeout", 2)
    return function(msg, _, inner)
        local task, refused = host.spawn(inner)
        if not task then error(refused, 0) end
        local _, err = task:wait(seconds)
        if task:done() then
            if err then error(err, 0) end
            return
        end
        task:cancel()
        if is_open(msg) then msg:fail("DeadlineExceeded", "its handler took longer than " .. seconds .. " s") end
    end
end

-- How many messages there were and how long they took, by action. Actions beyond what a metric may have are not counted.
function made.metrics(given)
    local options = options_of("gw.middleware.metrics", given, { prefix = "messages" })
    local total = gw.metric.counter(options.prefix .. "_total", { help = "Messages handled or failed.", labels = { "action", "result" } })
    local seconds = gw.metric.histogram(options.prefix .. "_seconds", { help = "How long they took.", labels = { "action" } })
    return function(msg, _, inner)
        local begun, action = gw.now(), msg.action
        local ok, err = pcall(inner)
        total:inc({ action = action, result = ok and "handled" or "failed" })
        seconds:observe(gw.now() - begun, { action = action })
        if not ok then error(err, 0) end
    end
end

local kKeys = {
    session = function(session) return session and session.id end,
    uid = function(session) return session and (session.uid ~= "" and session.uid or session.client_id) end,
    app = function() return true end,
}

-- So many messages in a second, and so many at once; for each session, each uid, or all together. What is beyond fails with
-- RateLimited and says when to try again. Each worker counts for itself.
function made.rate_limit(given)
    local name = "gw.middleware.rate_limit"
    local options = options_of(name, given, { per_second = 0, burst = 0, by = "session" })
    local rate = number_of(name, options, "per_second", 0.001, 1e6)
    local burst = options.burst == 0 and math.max(1, rate) or number_of(name, options, "burst", 1, 1e6)
    local key_of = kKeys[options.by]
    if not key_of then error(name .. ": option 'by' must be 'session', 'uid' or 'app'", 2) end
    -- The older half is dropped when the newer one is full: what is used stays.
    local new, old, count = {}, {}, 0
    local function bucket_of(key, now)
        local bucket = new[key]
        if bucket then return bucket end
        bucket = old[key] or { tokens = burst, at = now }
        if count >= kBucketsMax / 2 then new, old, count = {}, new, 0 end
        new[key], count = bucket, count + 1
        return bucket
    end
    return function(msg, session, inner)
        local now = gw.now()
        local bucket = bucket_of(key_of(session) or false, now)
        bucket.tokens = math.min(burst, bucket.tokens + (now - bucket.at) * rate)
        bucket.at = now
        if bucket.tokens < 1 then
            return msg:fail("RateLimited", "slow down", { retry_after = (1 - bucket.tokens) / rate })
        end
        bucket.tokens = bucket.tokens - 1
        inner()
    end
end

local kTypes = { string = true, number = true, boolean = true, table = true }

local function fields_of(name, action, fields)
    if type(action) ~= "string" or type(fields) ~= "table" then
        error(name .. ": expected { action = { field = type } } or a function", 3)
    end
    local known = {}
    for field, wanted in pairs(fields) do
        local bare, optional = tostring(wanted):match("^(%a+)(%??)$")
        if not kTypes[bare] then
            error(("%s: %s.%s must be 'string', 'number', 'boolean' or 'table', with a ? where it may be absent"):format(
                name, action, tostring(field)), 3)
        end
        known[field] = { type = bare, optional = optional == "?" }
    end
    return known
end

-- Why the body is not what it should be; nil: it is.
local function complaint_about(msg, fields)
    local body, err = msg:json()
    if err then return err.message end
    if type(body) ~= "table" then return "expected a JSON object" end
    for field, wanted in pairs(fields) do
        local value = body[field]
        local absent = value == nil or value == gw.json.null
        if absent and not wanted.optional then return ("'%s' is missing"):format(field) end
        if not absent and type(value) ~= wanted.type then
            return ("'%s' must be a %s, got %s"):format(field, wanted.type, type(value))
        end
    end
end

-- Messages whose body is not what it should be fail with BodyInvalid and why. `rules`: for each action the fields of a JSON
-- object and their types, or fn(msg, session), which returns the complaint, or nothing.
function made.validate(rules)
    local complain = rules
    if type(rules) ~= "function" then
        local by_action = {}
        if type(rules) ~= "table" or next(rules) == nil then
            error("gw.middleware.validate: expected { action = { field = type } } or a function", 2)
        end
        for action, fields in pairs(rules) do by_action[action] = fields_of("gw.middleware.validate", action, fields) end
        complain = function(msg)
            local fields = by_action[msg.action]
            return fields and complaint_about(msg, fields)
        end
    end
    return function(msg, session, inner)
        local complaint = complain(msg, session)
        if complaint then return msg:fail("BodyInvalid", tostring(complaint)) end
        inner()
    end
end

-- Runs what is inside again when it raised an error that says it is `retryable` (gw.err), as long as the message is open. Between
-- two attempts it waits `delay`, then twice as long each time. For handlers that do no harm when they run twice.
function made.retry(given)
    local name = "gw.middleware.retry"
    local options = options_of(name, given, { attempts = 3, delay = 0.1 })
    local attempts = number_of(name, options, "attempts", 2, kAttemptsMax)
    local delay = host.seconds(options.delay, name .. ": option 'delay'", 2)
    local function layer(msg, _, inner)
        for attempt = 1, attempts do
            local ok, err = pcall(inner)
            if ok then return end
            local again = getmetatable(err) == "error" and err.retryable and err.code ~= kCancelled and is_open(msg)
            if not again or attempt == attempts then error(err, 0) end
            gw.sleep(delay * 2 ^ (attempt - 1))
        end
    end
    host.repeats[layer] = true
    return layer
end

gw.middleware = host.view("gw.middleware", made)
