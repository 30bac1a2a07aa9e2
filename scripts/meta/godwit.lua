---@meta godwit

-- What editors with the Lua language server know of the module `godwit`. Nothing here is ever run.

---@class godwit
local gw = {}

---Something that can happen at run time, given as `nil, err`.
---@class godwit.Error
---@field code integer        stable number, as in `godwit errors`
---@field name string         "QueueFull"
---@field message string
---@field retryable boolean   trying again can help
---@field retry_after? number seconds to wait before

---@alias godwit.Kind "command" | "query" | "event"

---A message on its way through its handler. Read-only; to be used until the handler returns.
---@class godwit.Message
---@field kind godwit.Kind
---@field action string
---@field id integer | string              text where it is 2^53 or more
---@field headers table<string, string>    read-only
local Message = {}

---The body, any bytes.
---@return string
function Message:body() end

---Answers a command or query, once.
---@param body? string | number
---@param headers? table<string, string>
---@return true? ok
---@return godwit.Error? err
function Message:reply(body, headers) end

---Answers with an error.
---@param code string | integer   a name or number of `gw.errors`
---@param text? string            for a person, at most 1024 bytes
---@return true? ok
---@return godwit.Error? err
function Message:fail(code, text) end

---Seconds until the sender stops waiting; `math.huge` when it does not say.
---@return number
function Message:deadline() end

---Who sent a message, as of that message. Read-only.
---@class godwit.Session
---@field id integer | string
---@field client_id string
---@field uid? string
---@field address string

---Binds a handler to the messages that match the pattern. Only while the app loads.
---
---A pattern is `action` or `kind/action`; `*` stands for one level, `**` at the end for the rest:
---`"echo"`, `"query/time.*"`, `"*/chat.**"`.
---@param pattern string
---@param handler fun(msg: godwit.Message, session: godwit.Session?)
function gw.handle(pattern, handler) end

---@alias godwit.LogFields table<string, string | number | boolean>

---Lines in the server's log; each says which app and generation wrote it.
---@class godwit.Log
gw.log = {}

---@param text any
---@param fields? godwit.LogFields
function gw.log.trace(text, fields) end

---@param text any
---@param fields? godwit.LogFields
function gw.log.debug(text, fields) end

---@param text any
---@param fields? godwit.LogFields
function gw.log.info(text, fields) end

---@param text any
---@param fields? godwit.LogFields
function gw.log.warn(text, fields) end

---@param text any
---@param fields? godwit.LogFields
function gw.log.error(text, fields) end

---Every error code by its name.
---@type table<string, integer>
gw.errors = {}

---@class godwit.Info
---@field app string
---@field generation integer   goes up with every reload
---@field worker integer       from 0
---@field version string       of the server
gw.info = {}

---Seconds since 1970.
---@return number
function gw.time() end

---Seconds on a clock that never goes back; its zero means nothing.
---@return number
function gw.now() end

return gw
