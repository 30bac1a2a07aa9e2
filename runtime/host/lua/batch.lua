-- Batch jobs: one message for each of many targets, so many at one time, with repetitions, as a job that can be looked
-- at, waited for and cancelled.
local host = ...

local gw = host.gw
local error, getmetatable, ipairs, pairs, pcall, setmetatable, tostring, type =
    error, getmetatable, ipairs, pairs, pcall, setmetatable, tostring, type
local new_error, errors = host.new_error, host.errors

local kConcurrencyMax, kTargetsMax, kJobsMax = 5000, 100000, 1000
local kKept = 300                -- seconds that a job is found after its end
local kDefaults = { concurrency = 100, timeout = 30, job_timeout = 600, retries = 2, retry_delay = 1 }
local kOptions = { kind = true, headers = true, priority = true, ttl = true }
local kKinds = { command = true, query = true, event = true }

local jobs, job_count, last_job = {}, 0, 0

local Job = { __metatable = "job" }
local methods, states = {}, setmetatable({}, { __mode = "k" })

local function state_of(job, method)
    local state = getmetatable(job) == "job" and states[job]
    if not state then error("job:" .. method .. " must be called with a colon on a job", 3) end
    return state
end

function Job.__index(job, key)
    if key == "id" then return states[job].id end
    return methods[key]
end
function Job.__newindex(_, key) error("jobs are read-only: cannot set '" .. tostring(key) .. "'", 2) end

local function check_options(options)
    local checked = {}
    for name, default in pairs(kDefaults) do
        local value = options[name]
        if value == nil then
            checked[name] = default
        elseif name == "concurrency" or name == "retries" then
            if type(value) ~= "number" or value < (name == "retries" and 0 or 1) or value > kConcurrencyMax then
                error(("gw.batch: option '%s' must be a number up to %d"):format(name, kConcurrencyMax), 3)
            end
            checked[name] = value
        else
            checked[name] = host.seconds(value, "gw.batch: option '" .. name .. "'", 3)
        end
    end
    for name in pairs(options) do
        if kDefaults[name] == nil and not kOptions[name] then
            error("gw.batch: unknown option '" .. tostring(name) .. "'", 3)
        end
    end
    checked.kind = options.kind or "command"
    if not kKinds[checked.kind] then error("gw.batch: option 'kind' must be command, query or event", 3) end
    return checked
end

-- The session that a target names: a session, the id of one, or a uid, of which the newest counts.
local function session_for(target)
    if type(target) == "number" then return gw.session(target) end
    if type(target) == "string" then return gw.session(nil, target) end
    return target
end

-- What is tried again comes with the same key, so that it is done once.
local function message_options(state, index)
    local headers = { ["idempotency-key"] = ("%s:%d"):format(state.id, index) }
    for name, value in pairs(state.headers or {}) do headers[name] = value end
    local left = state.deadline - gw.now()
    local timeout = left < state.options.timeout and left or state.options.timeout
    return { headers = headers, priority = state.priority, ttl = state.ttl, timeout = timeout }
end

local function try(state, index)
    local session, err = session_for(state.targets[index])
    if not session then return nil, err end
    local options = message_options(state, index)
    local body = type(state.body) == "function" and state.body(state.targets[index], index) or state.body
    if state.options.kind == "event" then
        options.confirm = true
        return session:send(state.action, body, options)
    end
    options.kind = state.options.kind
    return session:request(state.action, body, options)
end

local function may_try_again(state, attempt, err)
    return attempt <= state.options.retries and err.retryable and gw.now() < state.deadline and not state.cancelled
end

local function deliver(state, index)
    local attempt, result, err = 0, nil, nil
    repeat
        if attempt > 0 then gw.sleep(state.options.retry_delay) end
        if state.cancelled then return nil, new_error(errors.Cancelled) end
        if gw.now() >= state.deadline then return nil, new_error(errors.DeadlineExceeded) end
        attempt = attempt + 1
        state.attempts = state.attempts + 1
        result, err = try(state, index)
    until result or not may_try_again(state, attempt, err)
    return result, err
end

local function note(state, index, result, err)
    if result then
        state.done = state.done + 1
        state.results[index] = result == true or result.body
    else
        state.failed = state.failed + 1
        state.errors[index] = err
    end
end

local function finish(state)
    if state.over then return end
    state.over = true
    for index = state.next, #state.targets do note(state, index, nil, new_error(errors.Cancelled)) end
    state.next = #state.targets + 1
    for _, token in pairs(state.waiters) do host.wake(token) end
    state.waiters = {}
    state.ended = gw.now()
end

-- Those that ended long ago.
local function forget_old()
    for id, job in pairs(jobs) do
        local ended = states[job].ended
        if ended and gw.now() - ended >= kKept then
            jobs[id] = nil
            job_count = job_count - 1
        end
    end
end

-- One of the tasks of a job: takes target after target.
local function work(state)
    while state.next <= #state.targets and not state.cancelled do
        local index = state.next
        state.next = index + 1
        state.running[index] = true
        local ok, result, err = pcall(deliver, state, index)
        if not ok then result, err = nil, type(result) == "table" and result or new_error(errors.HandlerFailed, tostring(result)) end
        if state.running[index] then note(state, index, result, err) end
        state.running[index] = nil
    end
    state.workers = state.workers - 1
    if state.workers == 0 then finish(state) end
end

-- A job that sends the action to each target: a session, its id, or a uid. It is returned before anything is sent.
-- `body` is text, or a function of target and index that returns it.
function gw.batch(targets, action, body, options)
    host.check_live("gw.batch")
    host.check_string(action, "gw.batch", "the action")
    if type(targets) ~= "table" then error("gw.batch: expected a list of targets, got " .. type(targets), 2) end
    if options ~= nil and type(options) ~= "table" then error("gw.batch: options must be a table", 2) end
    local checked = check_options(options or {})
    forget_old()
    if #targets > kTargetsMax or job_count >= kJobsMax then return nil, new_error(errors.LimitReached) end
    last_job, job_count = last_job + 1, job_count + 1
    local list = {}
    for index, target in ipairs(targets) do list[index] = target end
    local state = {
        id = ("%s-%d-%d-%d"):format(gw.info.app, gw.info.generation, gw.info.worker, last_job),
        targets = list, action = action, body = body, options = checked, next = 1, attempts = 0, done = 0, failed = 0,
        results = {}, errors = {}, running = {}, waiters = {}, tasks = {},
        headers = options and options.headers, priority = options and options.priority, ttl = options and options.ttl,
        deadline = gw.now() + checked.job_timeout, workers = 0,
    }
    local job = setmetatable({}, Job)
    states[job], jobs[state.id] = state, job
    for _ = 1, checked.concurrency < #list and checked.concurrency or #list do
        local task, err = host.spawn(work, state)
        if not task and state.workers == 0 then
            jobs[state.id], job_count = nil, job_count - 1
            return nil, err
        end
        if not task then break end
        state.workers = state.workers + 1
        state.tasks[state.workers] = task
    end
    if #list == 0 then finish(state) end
    return job
end

-- A job by its id, until five minutes after its end.
function gw.job(id)
    forget_old()
    local job = jobs[id]
    if job then return job end
    return nil, new_error(errors.NotFound)
end

function methods.progress(job)
    local state = state_of(job, "progress")
    local total = #state.targets
    return {
        total = total, done = state.done, failed = state.failed, attempts = state.attempts,
        pending = total - state.done - state.failed, over = state.over == true, cancelled = state.cancelled == true,
    }
end

-- By index of the target: what came back (the reply's body, or true for an event); and the errors.
function methods.results(job)
    local state = state_of(job, "results")
    return state.results, state.errors
end

-- Nothing is sent any more once this has returned, and what is under way is withdrawn. False when the job was over.
function methods.cancel(job)
    local state = state_of(job, "cancel")
    if state.over then return false end
    state.cancelled = true
    for index in pairs(state.running) do note(state, index, nil, new_error(errors.Cancelled)) end
    state.running = {}
    for _, task in ipairs(state.tasks) do task:cancel() end
    finish(state)
    return true
end

-- Waits for its end: its progress, or nil and DeadlineExceeded.
function methods.wait(job, timeout)
    local state = state_of(job, "wait")
    local seconds = timeout ~= nil and host.seconds(timeout, "job:wait") or nil
    if not state.over then
        local token, err = host.new_wait("job:wait")
        if not token then return nil, err end
        state.waiters[token] = token
        local code = host.wait_at_most(token, seconds)
        state.waiters[token] = nil
        if not state.over then return nil, new_error(code) end
    end
    return methods.progress(job)
end
