-- gw.metric: what an app counts, told at /metrics. Declared while the app loads; what was counted outlives a reload.
local host = ...

local error, ipairs, pairs, setmetatable, type = error, ipairs, pairs, setmetatable, type
local native = host.metrics
local kBuckets = { 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30 }
local kOptions = { help = "string", labels = "table", buckets = "table" }

-- A list of values of that type.
local function check_list(list, wanted, what)
    local count = 0
    for _ in pairs(list) do count = count + 1 end
    for _, value in ipairs(list) do
        if type(value) ~= wanted then error(what .. " must be a list of " .. wanted .. "s", 5) end
        count = count - 1
    end
    if count ~= 0 then error(what .. " must be a list of " .. wanted .. "s", 5) end
end

local function check_options(name, options)
    for option, value in pairs(options) do
        local wanted = kOptions[option]
        if not wanted then error(("%s: unknown option '%s'"):format(name, option), 4) end
        if type(value) ~= wanted then error(("%s: option '%s' must be a %s"):format(name, option, wanted), 4) end
    end
    check_list(options.labels or {}, "string", name .. ": option 'labels'")
    check_list(options.buckets or {}, "number", name .. ": option 'buckets'")
end

local declared = {}

-- The number of a metric that was declared just now.
local function declare(kind, name, options)
    local call = "gw.metric." .. kind
    if host.loaded then error(call .. ": metrics are declared while the app loads", 3) end
    if type(name) ~= "string" then error(call .. ": the name must be a string, got " .. type(name), 3) end
    if type(options) ~= "table" then error(call .. ": options must be a table, got " .. type(options), 3) end
    check_options(call, options)
    if declared[name] then error(("%s: '%s' is declared already"):format(call, name), 3) end
    local buckets = options.buckets or kind == "histogram" and kBuckets or {}
    local number, reason = native.declare(kind, name, options.help or "", options.labels or {}, buckets)
    if not number then error(("%s: %s: %s"):format(call, name, reason), 3) end
    declared[name] = true
    return number
end

local numbers = setmetatable({}, { __mode = "k" })

local function method(name, change, value_of)
    return function(metric, value, labels)
        local number = numbers[metric]
        if not number then error(("%s: call it with a colon, on a metric"):format(name), 2) end
        if type(value) == "table" and labels == nil then value, labels = nil, value end
        value = value_of(value)
        if type(value) ~= "number" then error(("%s: expected a number, got %s"):format(name, type(value)), 2) end
        if labels ~= nil and type(labels) ~= "table" then error(name .. ": labels must be a table of name = value", 2) end
        local ok, code, text = change(number, value, labels)
        if ok then return true end
        if not code then error(("%s: %s"):format(name, text), 2) end
        return nil, host.new_error(code, text)
    end
end

local function given(value) return value end
local function one_if_nil(value) return value == nil and 1 or value end

local inc = method("metric:inc", native.add, one_if_nil)
local methods = {
    counter = { inc = inc },
    gauge = { inc = inc, set = method("metric:set", native.set, given) },
    histogram = { observe = method("metric:observe", native.observe, given) },
}

local functions = {}
for kind, contents in pairs(methods) do
    local make = host.view_maker("metric")
    functions[kind] = function(name, options)
        local number = declare(kind, name, options == nil and {} or options)
        local metric = make(contents)
        numbers[metric] = number
        return metric
    end
end

host.gw.metric = host.view("gw.metric", functions)
