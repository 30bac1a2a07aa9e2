-- What an app says about its own coming and going: a check before it goes live, and what it hands to its successor.
local host = ...

local gw = host.gw
local error, pcall, tostring, type = error, pcall, tostring, type
local hooks = {}

local function register(name)
    return function(fn)
        if host.loaded then error("gw." .. name .. ": called while the app loads only", 2) end
        if type(fn) ~= "function" then error(("gw.%s: expected a function, got %s"):format(name, type(fn)), 2) end
        if hooks[name] then error("gw." .. name .. ": was called already", 2) end
        hooks[name] = fn
        if name == "export" then host.declare_export() end
    end
end

-- fn() is run on every worker before any goes live; an error keeps the generation from going live.
gw.selftest = register("selftest")
-- fn() returns what the next generation is given: plain data, as JSON has it. It must change nothing: when the next
-- generation refuses the data, this one goes on.
gw.export = register("export")
-- fn(data, generation) gets what the generation before has exported, before the first message.
gw.import = register("import")
-- fn() is run when another generation has taken over, or the app is gone. What waits in this one still goes on.
gw.unload = register("unload")

function host.selftest()
    if hooks.selftest then hooks.selftest() end
end

function host.export()
    local data = hooks.export()
    local text, err = gw.json.encode({ generation = host.info.generation, data = data == nil and gw.json.null or data })
    if not text then error("the exported value: " .. err.message, 0) end
    host.give_state(text)
end

function host.import()
    if not hooks.import then return end
    local state, err = gw.json.decode(host.take_state())
    if not state then error(err.message, 0) end
    local data = state.data
    if data == gw.json.null then data = nil end
    hooks.import(data, state.generation)
end

local retire = host.retire
function host.retire()
    retire()
    if not hooks.unload then return end
    local ok, reason = pcall(hooks.unload)
    if not ok then host.log("error", "unload failed", { error = tostring(reason) }) end
end
