-- `assert` of specs. A failure is a value that is raised: what was expected and got, and where in the spec.
local host = ...

local error, getmetatable, pairs, pcall, setmetatable, tostring, type =
    error, getmetatable, pairs, pcall, setmetatable, tostring, type
local abs, format, getinfo = math.abs, string.format, debug.getinfo
local find = host.bounded_strings.find

local Failure = { __metatable = "failure" }
function Failure.__tostring(failure) return failure.where .. ": " .. failure.text end

-- file:line of the innermost code that is not ours.
local function place()
    local level = 2
    while true do
        local info = getinfo(level, "Sl")
        if not info then return "spec" end
        local ours = info.what == "C" or info.short_src:find("^godwit/")
        if not ours then return info.short_src .. ":" .. info.currentline end
        level = level + 1
    end
end
host.spec_place = place

function host.is_failure(value) return getmetatable(value) == "failure" end

local function raise(text, hint)
    if hint ~= nil then text = tostring(hint) .. ": " .. text end
    error(setmetatable({ text = text, where = place() }, Failure), 0)
end
host.raise_failure = raise

local show = host.show

local function raise_unequal(expected, got, hint)
    raise("expected " .. show(expected) .. ", got " .. show(got), hint)
end

-- Where two values differ, as a path such as ".list[2]"; nil when they do not.
local function difference(a, b, path, seen)
    if a == b or (a ~= a and b ~= b) then return nil end
    if type(a) ~= "table" or type(b) ~= "table" then return path, a, b end
    if seen[a] == b then return nil end
    seen[a] = b
    for _, from in pairs({ a, b }) do
        for key in host.globals.pairs(from) do
            local name = type(key) == "string" and "." .. key or "[" .. tostring(key) .. "]"
            local where, left, right = difference(a[key], b[key], path .. name, seen)
            if where then return where, left, right end
        end
    end
end

local checks = {}

function checks.equal(expected, got, hint)
    if expected ~= got then raise_unequal(expected, got, hint) end
    return got
end

function checks.not_equal(unexpected, got, hint)
    if unexpected == got then raise("expected anything but " .. show(unexpected), hint) end
    return got
end

-- Equal in all their entries, however deep.
function checks.same(expected, got, hint)
    local where, a, b = difference(expected, got, "", {})
    if where == "" then raise_unequal(a, b, hint) end
    if where then
        raise(format("expected %s, got %s\n  they differ at %s: expected %s, got %s", show(expected), show(got), where,
            show(a), show(b)), hint)
    end
    return got
end

function checks.not_same(unexpected, got, hint)
    if not difference(unexpected, got, "", {}) then raise("expected anything but " .. show(unexpected), hint) end
    return got
end

-- As the function assert does: returns what it was given, so that `local reply = assert.truthy(s:request(…))` reads well.
function checks.truthy(value, ...)
    if value then return value, ... end
    raise("expected a value, got " .. show(value) .. (... ~= nil and ", " .. tostring((...)) or ""))
end

function checks.falsy(value, hint)
    if value then raise("expected nil or false, got " .. show(value), hint) end
end

function checks.is_true(value, hint) return checks.equal(true, value, hint) end
function checks.is_false(value, hint) return checks.equal(false, value, hint) end
function checks.is_nil(value, hint) return checks.equal(nil, value, hint) end

function checks.near(expected, got, tolerance, hint)
    if type(got) ~= "number" or abs(expected - got) > tolerance then
        raise(format("expected %s, give or take %s, got %s", show(expected), show(tolerance), show(got)), hint)
    end
    return got
end

-- A Lua pattern in a text.
function checks.matches(pattern, text, hint)
    if type(text) ~= "string" or not find(text, pattern) then
        raise("expected text that matches " .. show(pattern) .. ", got " .. show(text), hint)
    end
    return text
end

-- A text within a text, or an equal entry in a list.
function checks.contains(wanted, whole, hint)
    if type(whole) == "string" and find(whole, tostring(wanted), 1, true) then return whole end
    if type(whole) == "table" then
        for _, entry in pairs(whole) do
            if not difference(wanted, entry, "", {}) then return whole end
        end
    end
    raise("expected " .. show(wanted) .. " in " .. show(whole), hint)
end

-- fn raises; with a pattern, an error whose text matches it.
function checks.error(fn, pattern, hint)
    local ok, reason = pcall(fn)
    if ok then raise("expected an error, got none", hint) end
    if pattern ~= nil and not find(tostring(reason), pattern) then
        raise("expected an error that matches " .. show(pattern) .. ", got " .. show(tostring(reason)), hint)
    end
    return reason
end

function checks.no_error(fn, hint)
    local ok, reason = pcall(fn)
    if not ok then raise("expected no error, got " .. show(tostring(reason)), hint) end
end

-- What a call returned is `nil, err`, and err has this code, by name or number: assert.refused("Forbidden", s:request(…)).
function checks.refused(code, value, err)
    local number = host.code_of(code)
    if not number then error("assert.refused: " .. show(code) .. " is no error code; see gw.errors", 2) end
    if value ~= nil then raise("expected the error " .. tostring(code) .. ", got " .. show(value)) end
    if type(err) ~= "table" or err.code ~= number then
        raise("expected the error " .. tostring(code) .. ", got " .. tostring(err))
    end
    return err
end


-- assert.are.same and its like read well to some; the words mean nothing.
local assertions = {}
for _, word in pairs({ "are", "is", "has" }) do checks[word] = assertions end

host.globals.assert = setmetatable(assertions, {
    __index = checks,
    __newindex = function(_, name) error("assert." .. tostring(name) .. " cannot be set", 2) end,
    __metatable = "locked",
    __call = function(_, value, message, ...)
        if value then return value, message, ... end
        raise(message ~= nil and tostring(message) or "assertion failed")
    end,
})
