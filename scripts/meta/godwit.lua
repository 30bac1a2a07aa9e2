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

---The body as a JSON value.
---@return any value
---@return godwit.Error? err
function Message:json() end

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

---The answer comes later, after the handler's end: by the same message, which lives until it was answered or its time
---(`timeout` of the handler, or the sender's deadline) is over.
---@return godwit.Message? message
---@return godwit.Error? err
function Message:defer() end

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
---@param options? godwit.HandleOptions
function gw.handle(pattern, handler, options) end

---@class godwit.HandleOptions
---@field timeout? godwit.Duration  for a handler that waits, all in all (default: `scripts.handler_timeout`)
---@field on_error? "fail" | "pass" "pass": an error counts as a return (default: "fail", the message fails)
---@field ordered? boolean          false: later messages of a session may overtake while this handler waits

---Seconds, or text such as "200ms", "1.5s", "2m".
---@alias godwit.Duration number | string

---Waits. Like all that waits, it works in handlers, tasks and timers, inside `pcall` and coroutines too, but not while the
---app loads and not in a function that C calls back (`string.gsub`, `table.sort`).
---@param duration godwit.Duration
---@return true? ok
---@return godwit.Error? err
function gw.sleep(duration) end

---A function that runs beside its caller.
---@class godwit.Task
local Task = {}

---Waits for its end: what the function returned, or `nil, err` when it failed, was cancelled, or the time was over.
---@param timeout? godwit.Duration
---@return any ...
function Task:wait(timeout) end

---An error comes out of whatever it waits for. False when it has ended already.
---@return boolean
function Task:cancel() end

---@return boolean
function Task:done() end

---Runs the function soon, beside the caller; called while the app loads, once it is live.
---@param fn function
---@param ... any
---@return godwit.Task? task
---@return godwit.Error? err
function gw.spawn(fn, ...) end

---Waits for all: a list of what each returned first, or the error of the first in the list that failed.
---@param tasks godwit.Task[]
---@return any[]? values
---@return godwit.Error? err
function gw.all(tasks) end

---Waits for the first that ends well: its index, then what it returned; `nil, err` when none does.
---@param tasks godwit.Task[]
---@return integer? index
---@return any ...
function gw.any(tasks) end

---Runs the function once, in so long; called while the app loads, counted from when it is live. Ends with the generation.
---@param delay godwit.Duration
---@param fn function
---@param ... any
---@return godwit.Task? timer
---@return godwit.Error? err
function gw.after(delay, fn, ...) end

---@class godwit.TimerOptions
---@field jitter? number        0 to 1: each time is put off by up to this share of the interval, at random
---@field each_worker? boolean  true: on every worker of the process, not on one

---Runs the function at a fixed rate; a time that was missed is left out. Only while the app loads.
---@param interval godwit.Duration
---@param fn function
---@param options? godwit.TimerOptions
function gw.every(interval, fn, options) end

---Runs the function at the times of a cron expression of five fields, in UTC. Only while the app loads.
---@param expression string
---@param fn function
---@param options? godwit.TimerOptions
function gw.cron(expression, fn, options) end

---Holds up to `capacity` values between tasks.
---@class godwit.Channel
local Channel = {}

---Waits for room.
---@param value any  not nil
---@param timeout? godwit.Duration
---@return true? ok
---@return godwit.Error? err
function Channel:send(value, timeout) end

---Waits for a value. At the end of a closed channel: `nil, err`.
---@param timeout? godwit.Duration
---@return any value
---@return godwit.Error? err
function Channel:recv(timeout) end

function Channel:close() end

---@return integer
function Channel:count() end

---@param capacity? integer  1 to 1000000, default 1
---@return godwit.Channel
function gw.channel(capacity) end

---At most so many hold it at one time.
---@class godwit.Semaphore
local Semaphore = {}

---@param timeout? godwit.Duration
---@return true? ok
---@return godwit.Error? err
function Semaphore:acquire(timeout) end

function Semaphore:release() end

---@param count integer  1 to 1000000
---@return godwit.Semaphore
function gw.semaphore(count) end

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

---Middleware, around every handler of the app; the first registered is outermost. It calls `next()` for what is inside of it,
---or answers by itself. Only while the app loads.
---@param fn fun(msg: godwit.Message, session: godwit.Session?, next: fun())
function gw.use(fn) end

---Is run on every worker before any goes live; an error keeps the generation from going live. Only while the app loads.
---@param fn fun()
function gw.selftest(fn) end

---What the next generation is given: plain data, as JSON has it. Only while the app loads.
---@param fn fun(): any
function gw.export(fn) end

---Gets what the generation before has exported, before the first message. Only while the app loads.
---@param fn fun(data: any, generation: integer)
function gw.import(fn) end

---Is run when another generation has taken over or the app is gone. Only while the app loads.
---@param fn fun()
function gw.unload(fn) end

---An error as a value: to be returned as `nil, err`, or raised, which fails the message with its code and text.
---@param code string | integer  a name or number of `gw.errors`
---@param text? string
---@return godwit.Error
function gw.err(code, text) end

---Every error code by its name.
---@type table<string, integer>
gw.errors = {}

---@class godwit.Info
---@field app string
---@field generation integer   goes up with every reload
---@field worker integer       from 0
---@field version string       of the server
gw.info = {}

---@class godwit.TextCodec
---@field encode fun(bytes: string): string
---@field decode fun(text: string): string?, godwit.Error?

---RFC 4648, strict.
---@type godwit.TextCodec
gw.base64 = {}

---@type godwit.TextCodec
gw.hex = {}

---Checksums as hex digits; none is for secrets.
---@class godwit.Hash
---@field xxh3 fun(bytes: string): string
---@field crc32c fun(bytes: string): string
gw.hash = {}

---@class godwit.Json
gw.json = {}

---Stands for null.
gw.json.null = {}

---A table that is an array even when it is empty.
---@param list? table
---@return table
function gw.json.array(list) end

---Tables with keys 1 to n become arrays, others objects with their keys in order; at most 100 levels.
---@param value any
---@return string? text
---@return godwit.Error? err
function gw.json.encode(value) end

---@param text string
---@return any value
---@return godwit.Error? err
function gw.json.decode(text) end

---Seconds since 1970.
---@return number
function gw.time() end

---Seconds on a clock that never goes back; its zero means nothing.
---@return number
function gw.now() end

return gw
