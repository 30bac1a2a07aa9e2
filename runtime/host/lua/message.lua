-- What handlers get: messages and sessions. A message holds nothing but its serial number; all else is read from the
-- batch's records when asked for, so one that nobody looks at costs one small table. Whatever a script writes into it
-- can at most make it look like another message of the same app, or like one that is over.
local host = ...

local bridge, text_of = host.bridge, host.ffi.string
local records, self = bridge.records, bridge.self
local error, getmetatable, pairs, rawset, setmetatable = error, getmetatable, pairs, rawset, setmetatable
local sort, tostring, type = table.sort, tostring, type

local kOver = host.ffi.C.GW_OVER
local kKinds = { [0] = "command", "event", "query", "response" }

local kRetryAfterMax = 86400    -- who is to stay away for longer need not be told by the second

local Message = { __metatable = "message" }
local methods, fields = {}, {}
host.message_methods = methods

-- The message's record: of the batch while its handler has not waited, then of the parked ones; nil when it is over.
-- NaN and the like fail the comparisons.
local function record_of(message)
    local index = message[1] - bridge.first_serial
    if index >= 0 and index < bridge.count then
        local record = records[index]
        if record.state ~= kOver then return record end
        return nil
    end
    local record = bridge.parked(self, message[1])
    if record ~= nil then return record end
end

host.record_of = record_of

-- The serial number of a message, over or not; nil for anything else.
function host.serial_of(message) return getmetatable(message) == "message" and message[1] or nil end

local function check_self(message, method)
    if getmetatable(message) ~= "message" then
        error("msg:" .. method .. " must be called with a colon on a message", 3)
    end
end

local function number_or_text(number, wide)
    if number >= 0 then return number end
    return (tostring(wide):sub(1, -4))  -- without the "ULL" of wide integers
end

function fields.kind(record) return kKinds[record.kind] end
function fields.action(record) return text_of(record.action.data, record.action.size) end
function fields.id(record) return number_or_text(record.id, record.id_wide) end

local header_view = host.view_maker("msg.headers")
function fields.headers(record, message)
    local headers = {}
    for position = record.header_count - 1, 0, -1 do  -- of equal names the first one stays
        bridge.header(self, record, position)
        local name, value = bridge.found_header.name, bridge.found_header.value
        headers[text_of(name.data, name.size)] = text_of(value.data, value.size)
    end
    local view = header_view(headers)
    rawset(message, 2, view)
    return view
end

function Message.__index(message, key)
    local method = methods[key]
    if method then return method end
    local field = fields[key]
    if not field then return nil end
    local record = record_of(message)
    if not record then error("this message is over: copy what you need of it while its handler runs", 2) end
    if key == "headers" and message[2] then return message[2] end
    return field(record, message)
end

function Message.__newindex(_, key)
    error("messages are read-only: cannot set '" .. tostring(key) .. "'", 2)
end

function Message.__tostring(message)
    local record = record_of(message)
    if not record then return "message (over)" end
    return ("message %s (%s/%s)"):format(fields.id(record), fields.kind(record), fields.action(record))
end

function methods.body(message)
    check_self(message, "body")
    local record = record_of(message)
    if not record then error("msg:body: this message is over: copy what you need of it while its handler runs", 2) end
    local body = record.body
    return text_of(body.data, body.size)
end

function methods.deadline(message)
    check_self(message, "deadline")
    local record = record_of(message)
    return record and record.deadline - bridge.now(self) or 0
end

-- In the order of their names, so that the same script gives the same bytes.
local function add_headers(headers)
    if type(headers) ~= "table" then error("msg:reply: headers must be a table of name = value", 3) end
    local names = {}
    for name, value in host.globals.pairs(headers) do
        if type(name) ~= "string" or type(value) ~= "string" then
            error("msg:reply: headers must have names and values that are strings", 3)
        end
        names[#names + 1] = name
    end
    sort(names)
    for _, name in ipairs(names) do
        local value = headers[name]
        if not bridge.reply_header(self, name, #name, value, #value) then error("msg:reply: too many headers", 3) end
    end
end

function methods.reply(message, body, headers)
    check_self(message, "reply")
    local body_type = type(body)
    if body_type == "number" then
        body = tostring(body)
    elseif body == nil then
        body = ""
    elseif body_type ~= "string" then
        error("msg:reply: the body must be a string, got " .. body_type, 2)
    end
    local record = record_of(message)
    if not record then return nil, host.new_error(host.errors.StaleHandle) end
    if headers ~= nil then add_headers(headers) end
    local code = bridge.reply(self, record, body, #body)
    if code == 0 then return true end
    return nil, host.new_error(code)
end

-- Seconds of an option `retry_after`, 0 when there is none.
local function retry_after_of(options, name)
    if options == nil then return 0 end
    if type(options) ~= "table" then error(name .. ": the options must be a table", 3) end
    for option in host.globals.pairs(options) do
        if option ~= "retry_after" then error(name .. ": unknown option '" .. tostring(option) .. "'", 3) end
    end
    if options.retry_after == nil then return 0 end
    local seconds = host.seconds(options.retry_after, name .. ": option 'retry_after'", 3)
    return seconds < kRetryAfterMax and seconds or kRetryAfterMax
end
host.retry_after_of = retry_after_of

function methods.fail(message, code, text, options)
    check_self(message, "fail")
    local number = host.code_of(code)
    if not number then error("msg:fail: '" .. tostring(code) .. "' is no error code; see gw.errors", 2) end
    text = text == nil and "" or tostring(text)
    local retry_after = retry_after_of(options, "msg:fail")
    local record = record_of(message)
    if not record then return nil, host.new_error(host.errors.StaleHandle) end
    local refused = bridge.fail(self, record, number, text, #text, retry_after)
    if refused == 0 then return true end
    return nil, host.new_error(refused)
end

-- The answer comes after the handler's end, by what is returned: the same message, which lives until it was answered or
-- its time is over.
function methods.defer(message)
    check_self(message, "defer")
    local record = record_of(message)
    if not record then return nil, host.new_error(host.errors.StaleHandle) end
    local refused = bridge.defer(self, record)
    if refused == 0 then return message end
    return nil, host.new_error(refused)
end

function host.message_at(index) return setmetatable({ bridge.first_serial + index }, Message) end

-- Sessions. A few are remembered, so that a busy one is not described anew for each of its messages.
local views, versions = {}, {}

local function text_or_nil(text)
    if text.size > 0 then return text_of(text.data, text.size) end
end

local function describe(record)
    bridge.session(self, record)
    local session = bridge.found_session
    local view = host.new_session({
        id = number_or_text(session.id, session.id_wide),
        client_id = text_or_nil(session.client_id),
        uid = text_or_nil(session.uid),
        address = text_or_nil(session.address),
    })
    views[record.session], versions[record.session] = view, record.version
    return view
end

function host.session_of(record)
    local slot = record.session
    if slot == 0 then return nil end
    if versions[slot] == record.version then return views[slot] end
    return describe(record)
end
