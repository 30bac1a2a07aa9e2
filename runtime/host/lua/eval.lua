-- What an operator typed: an expression or statements, run in the app's world with `gw` at hand. What comes out is made
-- readable; tables are shown to some depth, in no more than so many entries.
local host = ...

local error, ipairs, pairs, select, setfenv, setmetatable, tostring, type = error, ipairs, pairs, select, setfenv, setmetatable, tostring, type
local concat, format, sort = table.concat, string.format, table.sort

local kDepthMax, kEntriesMax = 3, 100

local show

-- Numbers first, then by name: the same table always reads the same.
local function before(a, b)
    if type(a) ~= type(b) then return type(a) < type(b) end
    if type(a) == "number" or type(a) == "string" then return a < b end
    return tostring(a) < tostring(b)
end

local function show_table(value, depth)
    if depth > kDepthMax then return tostring(value) end
    local parts, keys = {}, {}
    for key in pairs(value) do keys[#keys + 1] = key end
    sort(keys, before)
    for _, key in ipairs(keys) do
        local entry = value[key]
        if #parts == kEntriesMax then
            parts[#parts + 1] = "..."
            break
        end
        local name = type(key) == "string" and key:match("^[%a_][%w_]*$") or "[" .. show(key, kDepthMax + 1) .. "]"
        parts[#parts + 1] = name .. " = " .. show(entry, depth + 1)
    end
    return "{" .. concat(parts, ", ") .. "}"
end

function show(value, depth)
    if type(value) == "string" then return format("%q", value) end
    if type(value) == "table" then return show_table(value, depth) end
    return tostring(value)
end

function host.show(value) return show(value, 1) end

local function show_all(...)
    local parts = {}
    for i = 1, select("#", ...) do
        local value = select(i, ...)
        parts[i] = type(value) == "string" and value or show(value, 1)
    end
    return concat(parts, "\t")
end

local world = setmetatable({}, {
    __index = function(_, name)
        if name == "gw" then return host.api end
        return host.globals[name]
    end,
    __newindex = host.globals,
})

function host.eval()
    local chunk, reason = host.compile_typed("return ")
    if not chunk then chunk, reason = host.compile_typed("") end
    if not chunk then error(reason, 0) end
    host.keep_typed(show_all(setfenv(chunk, world)()))
end
