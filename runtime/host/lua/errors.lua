-- Errors as values, for what can happen at run time: `nil, err` with code, name, message, retryable and, where waiting
-- helps, retry_after in seconds. gw.errors has the codes by name.
local host = ...

local setmetatable, tonumber, type = setmetatable, tonumber, type

local by_code, by_name, codes = {}, {}, {}
for _, info in ipairs(host.codes) do
    by_code[info.code], by_name[info.name], codes[info.name] = info, info, info.code
end

local Error = { __metatable = "error" }
function Error.__tostring(err) return ("%s (%d): %s"):format(err.name, err.code, err.message) end

function host.new_error(code, message, retry_after)
    local info = by_code[code]
    return setmetatable({
        code = info.code,
        name = info.name,
        message = message or info.meaning,
        retryable = info.retryable,
        retry_after = retry_after or info.retry_after,
    }, Error)
end

host.error_type = Error

-- The number of a code given as number or name; nil when there is no such code.
function host.code_of(code)
    local info = type(code) == "string" and by_name[code] or by_code[tonumber(code)]
    return info and info.code
end

host.errors = host.view("gw.errors", codes)
