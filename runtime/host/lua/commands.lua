-- gw.command: what operators may call by name, beside the messages of clients. Each call runs in a task, so that it may
-- wait; a second task waits for its end, whatever that is.
local host = ...

local gw, native = host.gw, host.commands
local error, pairs, tostring, type = error, pairs, tostring, type
local functions = {}
local kOptions = { help = true, args = true }

-- fn(args) gets a list of texts, and returns text or plain data, or nil and an error. Only while the app loads.
function gw.command(name, options, fn)
    if host.loaded then error("gw.command: commands are declared while the app loads", 2) end
    if fn == nil and type(options) == "function" then options, fn = {}, options end
    if type(name) ~= "string" then error("gw.command: the name must be a string, got " .. type(name), 2) end
    if type(options) ~= "table" then error("gw.command: options must be a table, got " .. type(options), 2) end
    if type(fn) ~= "function" then error("gw.command: expected a function, got " .. type(fn), 2) end
    for option, value in pairs(options) do
        if not kOptions[option] then error("gw.command: unknown option '" .. tostring(option) .. "'", 2) end
        if type(value) ~= "string" then error(("gw.command: option '%s' must be a string"):format(option), 2) end
    end
    local reason = native.declare(name, options.help or "", options.args or "")
    if reason then error(("gw.command: %s: %s"):format(name, reason), 2) end
    functions[name] = fn
end

local function fail(id, err)
    local code = type(err) == "table" and host.code_of(err.code)
    native.finish(id, nil, code or host.errors.ScriptError, tostring(code and err.message or err))
end

local function finish(id, value, err)
    if value == nil and err ~= nil then return fail(id, err) end
    local text, reason = gw.json.encode(value == nil and gw.json.null or value)
    if not text then return fail(id, reason) end
    native.finish(id, text)
end

local function watch(id, task)
    local value, err = task:wait(host.handler_timeout)
    task:cancel()
    finish(id, value, err)
end

function host.run_command()
    local id, name, arguments = native.take()
    local task, err = host.spawn(functions[name], arguments)
    if not task then return fail(id, err) end
    local watcher, refused = host.spawn(watch, id, task)
    if watcher then return end
    task:cancel()
    fail(id, refused)
end
