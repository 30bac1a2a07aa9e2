-- Tasks: functions that run beside handlers, each in a coroutine of its own.
local host = ...

local gw, bridge = host.gw, host.bridge
local self = bridge.self
local error, getmetatable, pairs, select, setmetatable, type, unpack =
    error, getmetatable, pairs, select, setmetatable, type, unpack
local live = host.tasks
local kCancelled = host.errors.Cancelled

local Task = { __metatable = "task" }
local methods = {}
Task.__index = methods

local states = setmetatable({}, { __mode = "k" })
local queue, first, last = {}, 1, 0
local early = {}
local last_id, count = 0, 0

local function state_of(task, method)
    local state = getmetatable(task) == "task" and states[task]
    if not state then error("task:" .. method .. " must be called with a colon on a task", 3) end
    return state
end

local function finish(state, ok, ...)
    if state.done then return end
    state.done, state.ok = true, ok
    if ok then
        state.count, state.results = select("#", ...), { ... }
    else
        state.error = ...
    end
    live[state.id] = nil
    count = count - 1
    for _, token in pairs(state.waiters) do host.wake(token) end
    state.waiters, state.fn, state.arguments = {}, nil, nil
    if state.at_end then state.at_end() end
end

-- Calls a function of the prelude when the task has ended, however.
function host.at_end(task, fn) states[task].at_end = fn end

local function enqueue(state)
    last = last + 1
    queue[last] = state
    bridge.tasks_waiting = bridge.tasks_waiting + 1
end

-- Begins one task. An error ends the coroutine; the host then calls task_died.
function host.run_tasks()
    local state = queue[first]
    queue[first] = nil
    first = first + 1
    bridge.tasks_waiting = bridge.tasks_waiting - 1
    if state.done then return end
    bridge.task = state.id
    state.begun = true
    finish(state, true, state.fn(unpack(state.arguments, 1, state.argument_count)))
end

function host.task_died()
    local state = live[bridge.wake.number]
    local text = bridge.wake.text
    if state then finish(state, false, host.new_error(bridge.wake.code, host.ffi.string(text.data, text.size))) end
end

local function spawn(fn, ...)
    if count >= host.coroutines_max then return nil, host.new_error(host.errors.CoroutineLimit) end
    last_id, count = last_id + 1, count + 1
    local state = { id = last_id, fn = fn, arguments = { ... }, argument_count = select("#", ...), waiters = {} }
    local task = setmetatable({}, Task)
    states[task], live[last_id] = state, state
    if host.started then enqueue(state) else early[#early + 1] = state end
    return task
end
host.spawn = spawn

-- Runs the function beside the caller, soon; while the app loads, once it is live.
function gw.spawn(fn, ...)
    if type(fn) ~= "function" then error("gw.spawn: expected a function, got " .. type(fn), 2) end
    return spawn(fn, ...)
end

function host.start_tasks()
    for _, state in ipairs(early) do enqueue(state) end
    early = {}
end

local function results_of(state)
    if state.ok then return unpack(state.results, 1, state.count) end
    return nil, state.error
end

-- Waits for the end: the function's results, or nil and why there are none.
function methods.wait(task, timeout)
    local state = state_of(task, "wait")
    local seconds = timeout ~= nil and host.seconds(timeout, "task:wait") or nil
    if state.done then return results_of(state) end
    local token, err = host.new_wait("task:wait")
    if not token then return nil, err end
    state.waiters[token] = token
    local code = host.wait_at_most(token, seconds)
    state.waiters[token] = nil
    if state.done then return results_of(state) end
    return nil, host.new_error(code)
end

-- An error comes out of whatever it waits for, now or next; one that has not begun never does. False when it has ended.
function methods.cancel(task)
    local state = state_of(task, "cancel")
    if state.done then return false end
    state.cancelled = true
    if not state.begun then
        finish(state, false, host.new_error(kCancelled))
    elseif state.token then
        bridge.wake_up(self, state.token, kCancelled, 0)
    end
    return true
end

function methods.done(task) return state_of(task, "done").done == true end

local function check_tasks(tasks, name)
    if type(tasks) ~= "table" then error(name .. ": expected a list of tasks", 3) end
    local list = {}
    for index, task in ipairs(tasks) do list[index] = state_of(task, "wait") end
    return list
end

-- Waits for all: a list of what each returned first, or nil and the error of the first in the list that failed.
function gw.all(tasks)
    local list = check_tasks(tasks, "gw.all")
    local values = {}
    for index, state in ipairs(list) do
        if not state.done then tasks[index]:wait() end
        if not state.ok then return nil, state.error end
        values[index] = state.results[1]
    end
    return values
end

-- Waits for the first that ends well: its index in the list, then its results. When none does: nil and the last error.
function gw.any(tasks)
    local list = check_tasks(tasks, "gw.any")
    while true do
        local failed, err = 0, nil
        for index, state in ipairs(list) do
            if state.done and state.ok then return index, unpack(state.results, 1, state.count) end
            if state.done then failed, err = failed + 1, state.error end
        end
        if failed == #list then return nil, err or host.new_error(host.errors.StaleHandle, "gw.any: no tasks") end
        local token, refused = host.new_wait("gw.any")
        if not token then return nil, refused end
        for _, state in ipairs(list) do state.waiters[token] = token end
        host.wait(token)
        for _, state in ipairs(list) do state.waiters[token] = nil end
    end
end
