-- What an app may know of its place: its own settings, its limits; and what it says of itself.
local host = ...

local gw = host.gw
local error, ipairs, pairs, tostring, type = error, ipairs, pairs, tostring, type

local function copy(value)
    if type(value) ~= "table" then return value end
    local made = {}
    for key, part in pairs(value) do made[key] = copy(part) end
    return made
end

-- Tables cannot be changed. Lists are given as copies, because # and table.concat look past views.
local function freeze(name, value)
    if type(value) ~= "table" then return value end
    if #value > 0 then return function() return copy(value) end end
    local lists, contents = {}, {}
    for key, part in pairs(value) do
        local frozen = freeze(name .. "." .. key, part)
        if type(frozen) == "function" then lists[key] = frozen else contents[key] = frozen end
    end
    return host.view_over(name, contents, lists)
end

-- The keys of [app.NAME.config] in the server's configuration.
gw.config = freeze("gw.config", gw.json.decode(host.config))

-- The app's limits on this worker: bytes, seconds and counts.
function gw.limits()
    local limits = copy(host.limits)
    limits.memory_used = collectgarbage("count") * 1024
    return limits
end

local kDeclared = { name = "string", version = "string", requires = "table" }

local function has(path)
    local at = gw
    for part in path:gmatch("[^.]+") do
        if type(at) ~= "table" then return false end
        at = at[part]
        if at == nil then return false end
    end
    return true
end

-- What the app says of itself: `name` must be its folder's, `version` is shown in gw.info.app_version, `requires` lists what it
-- uses of this module ("kv.incr"), so that an older server says at load what it lacks. Only while the app loads.
function gw.app(declaration)
    host.check_loading("gw.app", "it is called")
    if type(declaration) ~= "table" then error("gw.app: expected a table, got " .. type(declaration), 2) end
    for key, value in pairs(declaration) do
        if not kDeclared[key] then error("gw.app: unknown field '" .. tostring(key) .. "'", 2) end
        if type(value) ~= kDeclared[key] then error(("gw.app: %s must be a %s"):format(key, kDeclared[key]), 2) end
    end
    if declaration.name and declaration.name ~= host.info.app then
        error(("gw.app: the app is called '%s' here, by its folder, not '%s'"):format(host.info.app, declaration.name), 2)
    end
    for _, needed in ipairs(declaration.requires or {}) do
        if type(needed) ~= "string" or not has(needed) then
            error(("gw.app: this server has no gw.%s"):format(tostring(needed)), 2)
        end
    end
    host.info.app_version = declaration.version
end
