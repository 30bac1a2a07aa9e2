-- `require` for an app's own files, from the texts that were read when it was loaded. In Lua, so that a module may use
-- pcall, coroutines and all that waits.
local host = ...

local error, pcall, type = error, pcall, type

local kLoading = {}
local values = {}  -- by path

local function find(name)
    local path = name:gsub("%.", "/")
    local tried = { path .. ".lua", "lib/" .. path .. ".lua", path .. "/init.lua", "lib/" .. path .. "/init.lua" }
    for _, candidate in ipairs(tried) do
        if host.has_file(candidate) then return candidate end
    end
    return nil, ("module '%s' not found: the app has no %s"):format(name, table.concat(tried, ", "))
end

local function run(path)
    local chunk, reason = host.compile(path)
    if not chunk then error(reason, 0) end
    return chunk()
end

function host.globals.require(name)
    if type(name) ~= "string" then error("require: the module's name must be a string, got " .. type(name), 2) end
    if name == "godwit" then return host.api end
    local path, reason = find(name)
    if not path and host.require_outside then return host.require_outside(name) end
    if not path then error(reason, 2) end
    local value = values[path]
    if value == kLoading then error(("module '%s' requires itself (%s)"):format(name, path), 2) end
    if value ~= nil then return value end

    values[path] = kLoading
    local ok, result = pcall(run, path)
    values[path] = nil
    if not ok then error(result, 0) end
    if result == nil then result = true end
    values[path] = result
    return result
end

-- The app's load: runs main.lua, or the file that is begun with instead.
function host.load(file)
    file = file or "main.lua"
    values[file] = kLoading
    run(file)
    values[file] = true
    host.wrap_handlers()
    host.loaded = true
    host.freeze()
end
