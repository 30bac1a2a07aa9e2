-- gw.json: text from values and values from text.
local host = ...

local encode, decode = host.json_encode, host.json_decode
local error, setmetatable, type = error, setmetatable, type

local json = {}
local kArray = { __metatable = "array" }
local kNull = setmetatable({}, { __metatable = "null", __tostring = function() return "null" end,
    __newindex = function() error("gw.json.null is read-only", 2) end })

-- Stands for null, which a table could not hold otherwise.
json.null = kNull

-- Makes a table an array of JSON even when it is empty.
function json.array(list)
    list = list == nil and {} or list
    if type(list) ~= "table" then error("gw.json.array: expected a table, got " .. type(list), 2) end
    return setmetatable(list, kArray)
end

function json.encode(value)
    if value == nil then value = kNull end
    local text, reason = encode(value, kNull, kArray)
    if text then return text end
    return nil, host.new_error(host.errors.ValueWrong, reason)
end

function json.decode(text)
    if type(text) ~= "string" then error("gw.json.decode: expected a string, got " .. type(text), 2) end
    local value, reason = decode(text, kNull)
    if reason == nil then return value end
    return nil, host.new_error(host.errors.ValueWrong, reason)
end

host.gw.json = host.view("gw.json", json)

-- The body as a value.
function host.message_methods.json(message) return json.decode(message:body()) end
