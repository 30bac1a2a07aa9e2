-- Channels and semaphores: how tasks and handlers of one app wait for each other.
local host = ...

local gw = host.gw
local error, getmetatable, setmetatable, tostring, type = error, getmetatable, setmetatable, tostring, type

-- Tokens that wait, oldest first.
local Queue = {}
Queue.__index = Queue
local function new_queue() return setmetatable({ first = 1, last = 0 }, Queue) end

function Queue:add(token)
    self.last = self.last + 1
    self[self.last] = token
end

-- Wakes the first that still waits.
function Queue:wake_one()
    while self.first <= self.last do
        local token = self[self.first]
        self[self.first] = nil
        self.first = self.first + 1
        if host.wake(token) then return true end
    end
    return false
end

function Queue:wake_all() while self:wake_one() do end end

-- Waits in the queue until `ready()`; nil and an error when the time is over first.
local function wait_until(queue, ready, timeout, name)
    local seconds = timeout ~= nil and host.seconds(timeout, name, 3) or nil
    local deadline = seconds and host.now() + seconds
    while not ready() do
        local left = deadline and deadline - host.now()
        if left and left <= 0 then return nil, host.new_error(host.kDeadline) end
        local token, err = host.new_wait(name)
        if not token then return nil, err end
        queue:add(token)
        host.wait_at_most(token, left)
    end
    return true
end

local function class(name)
    local methods, states = {}, setmetatable({}, { __mode = "k" })
    local metatable = { __metatable = name, __index = methods, __tostring = function() return name end }
    local function state_of(object, method)
        local state = getmetatable(object) == name and states[object]
        if not state then error(("%s:%s must be called with a colon on a %s"):format(name, method, name), 3) end
        return state
    end
    local function make(state)
        local object = setmetatable({}, metatable)
        states[object] = state
        return object
    end
    return methods, make, state_of
end

local function check_count(value, name, least)
    if type(value) ~= "number" or value < least or value % 1 ~= 0 or value > 1e6 then
        error(("%s: expected a whole number from %d to 1000000, got %s"):format(name, least, tostring(value)), 3)
    end
    return value
end

local channel, make_channel, channel_of = class("channel")

-- Holds up to `capacity` values; send waits for room, recv for a value.
function gw.channel(capacity)
    capacity = capacity == nil and 1 or check_count(capacity, "gw.channel", 1)
    return make_channel({ capacity = capacity, values = {}, first = 1, count = 0, senders = new_queue(),
        receivers = new_queue(), closed = false })
end

local function closed_error() return host.new_error(host.errors.StaleHandle, "the channel is closed") end

function channel.send(object, value, timeout)
    local state = channel_of(object, "send")
    if value == nil then error("channel:send: a value cannot be nil", 2) end
    local ok, err = wait_until(state.senders, function() return state.closed or state.count < state.capacity end,
        timeout, "channel:send")
    if not ok then return nil, err end
    if state.closed then return nil, closed_error() end
    state.values[state.first + state.count] = value
    state.count = state.count + 1
    state.receivers:wake_one()
    return true
end

-- After the end of a closed channel: nil and an error.
function channel.recv(object, timeout)
    local state = channel_of(object, "recv")
    local ok, err = wait_until(state.receivers, function() return state.closed or state.count > 0 end, timeout,
        "channel:recv")
    if not ok then return nil, err end
    if state.count == 0 then return nil, closed_error() end
    local value = state.values[state.first]
    state.values[state.first] = nil
    state.first, state.count = state.first + 1, state.count - 1
    state.senders:wake_one()
    if state.count > 0 then state.receivers:wake_one() end
    return value
end

function channel.close(object)
    local state = channel_of(object, "close")
    state.closed = true
    state.receivers:wake_all()
    state.senders:wake_all()
end

function channel.count(object) return channel_of(object, "count").count end

local semaphore, make_semaphore, semaphore_of = class("semaphore")

-- At most so many hold it at one time.
function gw.semaphore(count)
    return make_semaphore({ free = check_count(count, "gw.semaphore", 1), waiting = new_queue() })
end

function semaphore.acquire(object, timeout)
    local state = semaphore_of(object, "acquire")
    local ok, err = wait_until(state.waiting, function() return state.free > 0 end, timeout, "semaphore:acquire")
    if not ok then return nil, err end
    state.free = state.free - 1
    return true
end

function semaphore.release(object)
    local state = semaphore_of(object, "release")
    state.free = state.free + 1
    state.waiting:wake_one()
end
