-- The world an app's code lives in: an allow-list of globals, every library a read-only view. What is not named here
-- does not exist for an app: no loading of code, no files, no debug library, no ffi, no way to another environment.
local host = ...

local debug, math, os, string, table = debug, math, os, string, table
local error, getmetatable, next, pairs, rawset, setmetatable = error, getmetatable, next, pairs, rawset, setmetatable
local coroutine, select, tostring, type = coroutine, select, tostring, type

local contents_of = setmetatable({}, { __mode = "k" })

-- A metatable for views: they can be read and walked, but not changed.
local function view_metatable(name, index)
    return {
        __index = index,
        __newindex = function(_, key) error(name .. " is read-only: cannot set '" .. tostring(key) .. "'", 2) end,
        __metatable = "read-only",
        __tostring = function() return name end,
    }
end

-- For what exists many times: returns a function that wraps a table into a view. All views of one maker share their
-- metatable, so that compiled code treats them alike.
function host.view_maker(name)
    local metatable = view_metatable(name, function(view, key) return contents_of[view][key] end)
    return function(contents)
        local view = setmetatable({}, metatable)
        contents_of[view] = contents
        return view
    end
end

-- For what exists once.
function host.view(name, contents)
    local view = setmetatable({}, view_metatable(name, contents))
    contents_of[view] = contents
    return view
end

-- The same, but for some names whose value is made anew each time.
function host.view_over(name, contents, makers)
    local view = setmetatable({}, view_metatable(name, function(_, key)
        local make = makers[key]
        if make then return make() end
        return contents[key]
    end))
    local walked = {}
    for key, value in pairs(contents) do walked[key] = value end
    for key, make in pairs(makers) do walked[key] = make() end
    contents_of[view] = walked
    return view
end

local function pick(library, names)
    local picked = {}
    for name in names:gmatch("%S+") do picked[name] = library[name] end
    return picked
end

-- string: what can take long in C is replaced by functions that the watchdog can end, or bounded.
local strings = pick(string, "byte char format len lower reverse sub upper")
for name, fn in pairs(host.bounded_strings) do strings[name] = fn end

local rep = string.rep
function strings.rep(text, count, separator)
    local bytes = (#tostring(text) + #tostring(separator or "")) * (tonumber(count) or 0)
    if bytes > host.text_bytes_max then
        error(("string.rep: the result would have %.0f bytes, the limit is %d"):format(bytes, host.text_bytes_max), 2)
    end
    return rep(text, count, separator)
end

local text_metatable = getmetatable("")
text_metatable.__index = strings
text_metatable.__metatable = "locked"

-- table: comparing in Lua keeps a long sort interruptible.
local tables = pick(table, "concat insert maxn move remove sort")
local concat, sort = table.concat, table.sort

local function ascending(a, b) return a < b end
function tables.sort(list, less) return sort(list, less or ascending) end

function tables.concat(list, separator, first, last)
    if type(list) == "table" and (last or #list) - (first or 1) >= host.concat_items_max then
        error(("table.concat: more than %d items"):format(host.concat_items_max), 2)
    end
    return concat(list, separator, first, last)
end

-- os: only what tells the time, and by godwit's clock, which tests can set.
local date, time = os.date, os.time
host.date = date
local oses = { difftime = os.difftime }
function oses.clock() return host.now() end
function oses.time(fields)
    if fields ~= nil then return time(fields) end
    return math.floor(host.unix_time())
end
function oses.date(format, at)
    format = format == nil and "%c" or format
    if type(format) ~= "string" or #format > 128 then error("os.date: format must be a string of at most 128 bytes", 2) end
    return date(format, at or math.floor(host.unix_time()))
end

-- coroutine: the coroutines that handlers themselves run in are the host's and stay out of reach.
local host_coroutines = setmetatable({}, { __mode = "k" })
function host.adopt(thread) host_coroutines[thread] = true end

local coroutines = pick(coroutine, "create resume status wrap yield")
function coroutines.running()
    local running = coroutine.running()
    return not host_coroutines[running or 0] and running or nil
end
function coroutines.isyieldable() return coroutines.running() ~= nil end

local globals = pick(_G, "_VERSION assert error getmetatable ipairs next pcall rawequal rawget select setmetatable "
    .. "tonumber tostring type unpack xpcall")
globals._G = globals

-- What ends a handler is raised while the VM is deaf to the next word of the kind: no function of the app runs then.
local xpcall, must_end = xpcall, host.must_end
function globals.xpcall(fn, handler, ...)
    if type(handler) ~= "function" then return xpcall(fn, handler, ...) end
    return xpcall(fn, function(err)
        if must_end() then return err end
        return handler(err)
    end, ...)
end
globals.bit = host.view("bit", pick(bit, "arshift band bnot bor bswap bxor lshift rol ror rshift tobit tohex"))
host.coroutines = coroutines
globals.coroutine = host.view("coroutine", coroutines)
globals.debug = host.view("debug", { traceback = debug.traceback })
globals.math = host.view("math", pick(math, "abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp "
    .. "log log10 max min modf pi pow rad random randomseed sin sinh sqrt tan tanh"))
globals.os = host.view("os", oses)
globals.string = host.view("string", strings)
globals.table = host.view("table", tables)

-- A trusted app has what reaches outside; not what would end or change the whole process.
if host.trusted then
    for name, fn in pairs(pick(os, "execute getenv remove rename tmpname")) do oses[name] = fn end
    globals.io, globals.package = io, package
    host.require_outside = require
end

function globals.pairs(value) return pairs(contents_of[value] or value) end

function globals.print(...)
    local words = {}
    for i = 1, select("#", ...) do words[i] = tostring((select(i, ...))) end
    host.log("info", concat(words, "\t"))
end

-- Globals are declared by assigning them while the app loads, be it nil. From then on a misspelt local cannot become a
-- global unnoticed.
local declared, frozen = {}, false
setmetatable(globals, {
    __metatable = "locked",
    __newindex = function(_, name, value)
        if frozen and not declared[name] then
            error("assignment to undeclared global '" .. tostring(name)
                .. "': make it local, or declare it while the app loads", 2)
        end
        declared[name] = true
        rawset(globals, name, value)
    end,
})
function host.freeze() frozen = true end

function globals.rawset(target, key, value)
    if contents_of[target] or (frozen and target == globals) then error("rawset: this table is read-only", 2) end
    return rawset(target, key, value)
end

math.randomseed(host.seed)
host.globals = globals
