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

---@class godwit.FailOptions
---@field retry_after? godwit.Duration   when trying again makes sense: the sender finds seconds in the header `retry-after`

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

---Answers a command or query, once. Refused: ReplyTwice, StaleHandle when the message is over, ReplyNotExpected for an event,
---MessageTooLarge, HeadersInvalid, and QueueFull when the client takes no replies.
---@param body? string | number           any bytes, at most `message.inline_max` (1 MiB)
---@param headers? table<string, string>  at most 64, names and values together 16 KiB, UTF-8
---@return true? ok
---@return godwit.Error? err
function Message:reply(body, headers) end

---Answers with an error.
---@param code string | integer   a name or number of `gw.errors`
---@param text? string            for a person, at most 1024 bytes
---@param options? godwit.FailOptions
---@return true? ok
---@return godwit.Error? err
function Message:fail(code, text, options) end

---The answer comes later, after the handler's end: by the same message, which lives until it was answered or its time
---(`timeout` of the handler, or the sender's deadline) is over.
---@return godwit.Message? message
---@return godwit.Error? err
function Message:defer() end

---Hands the message to the handler of another action, which answers it; this handler is done with it. `HandlerNotFound` leaves
---it here; `ForwardLimit` fails it, because it was handed on too often.
---@param action string
---@return true? ok
---@return godwit.Error? err
function Message:forward(action) end

---Seconds until the sender stops waiting; `math.huge` when it does not say.
---@return number
function Message:deadline() end

---Who sent a message, as of that message. Read-only.
---@class godwit.Session
---@field id integer | string
---@field client_id string
---@field uid string   whom it belongs to: proven by `auth.mode` or a client certificate; without either what the client says, or its client id
---@field address string
local Session = {}

---What a message to a client may say of itself, beyond action and body.
---@class godwit.SendOptions
---@field headers? table<string, string> at most 64, names and values together 16 KiB, UTF-8
---@field ttl? godwit.Duration           not worth handling after so long
---@field priority? "low" | "normal" | "high" | "critical"
---@field ordered? boolean               false: need not wait for messages sent before it
---@field confirm? boolean               wait until the client's handler has it
---@field timeout? godwit.Duration       with `confirm`: for so long
---@field unreliable? boolean            in one packet, lost with it, never sent again; MessageTooLarge for what fits none
---@field durable? boolean               wait until it is on the disk; arrives once, also when the server dies (`session.durable`)

---@class godwit.NotifyOptions
---@field headers? table<string, string>
---@field ttl? godwit.Duration
---@field priority? "low" | "normal" | "high" | "critical"
---@field ordered? boolean
---@field before? godwit.Message         a command or query of this session: right before its response
---@field after? godwit.Message          the same: right after its response

---@class godwit.UserSendOptions
---@field headers? table<string, string>
---@field ttl? godwit.Duration
---@field priority? "low" | "normal" | "high" | "critical"
---@field ordered? boolean
---@field confirm? boolean
---@field timeout? godwit.Duration
---@field unreliable? boolean
---@field offline? boolean | godwit.Duration   keep it, for so long at most, when the user went a moment ago

---@class godwit.RequestOptions
---@field headers? table<string, string>
---@field ttl? godwit.Duration
---@field priority? "low" | "normal" | "high" | "critical"
---@field ordered? boolean
---@field kind? "command" | "query"      default: command
---@field timeout? godwit.Duration       how long the reply is waited for (default: `message.default_timeout`)

---@class godwit.BroadcastOptions
---@field headers? table<string, string>
---@field ttl? godwit.Duration
---@field priority? "low" | "normal" | "high" | "critical"
---@field ordered? boolean
---@field group? string                  only its members
---@field except? godwit.Session | integer | string   a session, or its id, that does not get it
---@field report? boolean                wait, and tell who refused it
---@field unreliable? boolean             in one packet each, lost with it, never sent again

---@class godwit.Reply
---@field body string
---@field headers table<string, string>

---@class godwit.Refusal
---@field id integer | string   of the session
---@field error godwit.Error

---@alias godwit.Value string | number | boolean

---An event for this client. `nil, err` when it is gone (StaleHandle) or its queue is full (QueueFull). With `confirm` it waits.
---@param action string                  1 to 16 levels separated by dots, at most 256 bytes
---@param body? string | number
---@param options? godwit.SendOptions
---@return true? ok
---@return godwit.Error? err
function Session:send(action, body, options) end

---An event for this client, handled right before or right after the response to a request of it, whatever that will be
---and whenever it comes; with neither option it goes out now. What comes after a response that was given already goes out at
---once. It is dropped when the response comes after the request's deadline. Errors: StaleHandle when the response was
---given (before) or the message is over, ReplyNotExpected for an event, QueueFull.
---@param action string
---@param body? string | number
---@param options? godwit.NotifyOptions
---@return true? ok
---@return godwit.Error? err
function Session:notify(action, body, options) end

---Asks this client and waits for the reply, at most as long as the sender of the message in hand waits. Who cancels the task
---that waits withdraws the request: the client may stop. Errors: DeadlineExceeded when none came in time, ConnectionLost, StaleHandle when
---it is gone, QueueFull, and whatever the client failed with.
---@async
---@param action string                  1 to 16 levels separated by dots, at most 256 bytes
---@param body? string | number
---@param options? godwit.RequestOptions
---@return godwit.Reply? reply
---@return godwit.Error? err
function Session:request(action, body, options) end

---An attribute; it lives in the server, on whichever worker, as long as the session.
---@param name string
---@return godwit.Value?
function Session:get(name) end

---Sets an attribute; nil removes it. At most 64 of 256-byte names and 16 KiB values.
---@param name string
---@param value? godwit.Value
---@param ttl? godwit.Duration
---@return true? ok
---@return godwit.Error? err
function Session:set(name, value, ttl) end

---True when the attribute was `old` (nil: not there) and is `new` (nil: not there) now.
---@param name string
---@param old? godwit.Value
---@param new? godwit.Value
---@return boolean? changed
---@return godwit.Error? err
function Session:cas(name, old, new) end

---Made by the first that joins, gone with the last. StoreFull beyond 1000 groups of a session.
---@param group string   1 to 256 bytes
---@return true? ok
---@return godwit.Error? err
function Session:join(group) end

---No error when it is not in the group.
---@param group string
---@return true? ok
---@return godwit.Error? err
function Session:leave(group) end

---The groups that it is in.
---@return string[]
function Session:groups() end

---Whether it is connected at this moment.
---@return boolean
function Session:alive() end

---Ends the session; what is queued for the client goes first.
---@param code? string | integer  default PeerClosed
---@param reason? string
---@return true? ok
---@return godwit.Error? err
function Session:close(code, reason) end

---@class godwit.SessionStats
---@field rtt number             seconds
---@field bytes_sent integer
---@field bytes_received integer
---@field messages_sent integer
---@field messages_received integer
---@field pending_replies integer
---@field outbox_messages integer   sent and not yet acknowledged

---Waits for what the session's worker says of it.
---@async
---@return godwit.SessionStats? stats
---@return godwit.Error? err
function Session:stats() end

---How many replies of the client are waited for. Waits.
---@async
---@return integer? count
---@return godwit.Error? err
function Session:pending() end

---Binds a handler to the messages that match the pattern. Only while the app loads. At most 4096 for an app.
---
---A pattern is `action` or `kind/action`; `*` stands for one level, `**` at the end for the rest:
---`"echo"`, `"query/time.*"`, `"*/chat.**"`. Of several that match the most specific gets the message.
---@param pattern string  at most 16 levels and 256 bytes
---@param handler fun(msg: godwit.Message, session: godwit.Session?)
---@param options? godwit.HandleOptions
function gw.handle(pattern, handler, options) end

---@class godwit.HandleOptions
---@field timeout? godwit.Duration  for a handler that waits, all in all (default: `scripts.handler_timeout`)
---@field on_error? "fail" | "pass" | "close" "pass": an error counts as a return; "close": the session is closed as well (default: "fail", the message fails)
---@field idempotent? boolean | "again" true: a command with a header `idempotency-key` is executed once, and who sends it again with the same uid hears the first answer, kept for `operations.ttl`; one that broke off is OperationUnknown. "again": what broke off is executed once more (default: false)
---@field priority? integer         0 to 1000 (default: 100): of equally specific patterns of several apps the lower gets the message
---@field ordered? boolean          false: later messages of a session (or, with `key`, of the key) may overtake while this handler waits
---@field key? string               a header's name: messages that have it are handled one after the other for each of its values, in the order in which they came, on one worker, whichever sessions they came by; their session orders them no more. What is kept in Lua tables about a key is in one place. DispatcherFull when too many wait

---Seconds, or text such as "200ms", "1.5s", "2m".
---@alias godwit.Duration number | string

---Waits. Like all that waits, it works in handlers, tasks and timers, inside `pcall` and coroutines too, but not while the
---app loads and not in a function that C calls back (`string.gsub`, `table.sort`).
---@async
---@param duration godwit.Duration
---@return true? ok
---@return godwit.Error? err
function gw.sleep(duration) end

---A function that runs beside its caller.
---@class godwit.Task
local Task = {}

---Waits for its end: what the function returned, or `nil, err` when it failed, was cancelled, or the time was over.
---@async
---@param timeout? godwit.Duration
---@return any ...
function Task:wait(timeout) end

---An error comes out of whatever it waits for; a request that it waits for is withdrawn. False when it has ended already.
---@return boolean
function Task:cancel() end

---Whether it has ended, well or not.
---@return boolean
function Task:done() end

---Runs the function soon, beside the caller; called while the app loads, once it is live.
---@param fn function
---@param ... any
---@return godwit.Task? task
---@return godwit.Error? err
function gw.spawn(fn, ...) end

---Waits for all: a list of what each returned first, or the error of the first in the list that failed.
---@async
---@param tasks godwit.Task[]
---@return any[]? values
---@return godwit.Error? err
function gw.all(tasks) end

---Waits for the first that ends well: its index, then what it returned; `nil, err` when none does.
---@async
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
---@async
---@param value any  not nil
---@param timeout? godwit.Duration
---@return true? ok
---@return godwit.Error? err
function Channel:send(value, timeout) end

---Waits for a value. At the end of a closed channel: `nil, err`.
---@async
---@param timeout? godwit.Duration
---@return any value
---@return godwit.Error? err
function Channel:recv(timeout) end

---Nothing more can be sent; what is in it can still be received.
function Channel:close() end

---How many values are in it.
---@return integer
function Channel:count() end

---A queue between tasks of this app on this worker.
---@param capacity? integer  1 to 1000000, default 1
---@return godwit.Channel
function gw.channel(capacity) end

---At most so many hold it at one time.
---@class godwit.Semaphore
local Semaphore = {}

---Waits until one of its places is free and takes it; DeadlineExceeded when the time was over first.
---@async
---@param timeout? godwit.Duration
---@return true? ok
---@return godwit.Error? err
function Semaphore:acquire(timeout) end

---Gives a place back.
function Semaphore:release() end

---For what only so many may do at one time, on this worker.
---@param count integer  1 to 1000000
---@return godwit.Semaphore
function gw.semaphore(count) end

---A session by its id or, where that is nil, the newest of a uid.
---@param id? integer | string
---@param uid? string
---@return godwit.Session? session
---@return godwit.Error? err
function gw.session(id, uid) end

---Sessions of all workers in the order of their ids, and the cursor for the next call; nil when these are the last.
---@param filter? { group?: string, limit?: integer, cursor?: integer | string }
---@return godwit.Session[] sessions
---@return (integer | string)? cursor
function gw.sessions(filter) end

---An event for all sessions of a uid: how many take it (with `confirm`: have it). `nil, err` when none does;
---TargetNotFound when there are none. With `offline` it is kept for a user whose last session ended less than `offline.ttl`
---ago: 0, and it is sent when they are here again, in order, with the header `offline` ("2/7": the second of seven).
---@param uid string
---@param action string
---@param body? string | number
---@param options? godwit.UserSendOptions
---@return integer? count
---@return godwit.Error? err
function gw.send(uid, action, body, options) end

---@class godwit.BatchOptions
---@field kind? "command" | "query" | "event"   default: command
---@field headers? table<string, string>
---@field priority? "low" | "normal" | "high" | "critical"
---@field ttl? godwit.Duration
---@field concurrency? integer           at one time, at most 5000 (default: 100)
---@field timeout? godwit.Duration       of one try (default: 30 s)
---@field job_timeout? godwit.Duration   of all of it (default: 10 min)
---@field retries? integer               of what may succeed later (default: 2)
---@field retry_delay? godwit.Duration   before each of them (default: 1 s)

---@class godwit.JobProgress
---@field total integer
---@field done integer
---@field failed integer       what was cancelled included
---@field pending integer
---@field attempts integer     messages sent, repetitions included
---@field over boolean
---@field cancelled boolean

---Messages for many targets that are under way.
---@class godwit.Job
---@field id string
local Job = {}

---How far it is.
---@return godwit.JobProgress
function Job:progress() end

---By the index of the target: what came back (the reply's body; true for an event), and the errors.
---@return table<integer, string | true> results
---@return table<integer, godwit.Error> errors
function Job:results() end

---Nothing is sent any more once it has returned, and what is under way is withdrawn. False when the job was over.
---@return boolean
function Job:cancel() end

---Waits for its end: its progress, or `nil, err` (DeadlineExceeded).
---@async
---@param timeout? godwit.Duration
---@return godwit.JobProgress? progress
---@return godwit.Error? err
function Job:wait(timeout) end

---Sends the action to each target, so many at one time, and returns before anything is sent. Each message has the header
---`idempotency-key`, the same for each repetition. At most 100,000 targets; the job belongs to this generation on this worker.
---@param targets (godwit.Session | integer | string)[]   sessions, their ids as numbers, or uids, of which the newest session counts
---@param action string
---@param body? string | number | fun(target: any, index: integer): string
---@param options? godwit.BatchOptions
---@return godwit.Job? job
---@return godwit.Error? err
function gw.batch(targets, action, body, options) end

---A job by its id, until five minutes after its end.
---@param id string
---@return godwit.Job? job
---@return godwit.Error? err
function gw.job(id) end

---Asks the newest session of a uid and waits for the reply.
---@async
---@param uid string
---@param action string
---@param body? string | number
---@param options? godwit.RequestOptions
---@return godwit.Reply? reply
---@return godwit.Error? err
function gw.request(uid, action, body, options) end

---An event for everybody, or for a group: how many it is on its way to. With `report`: how many have taken it, and who
---did not (at most 1000 of them).
---@param action string
---@param body? string | number
---@param options? godwit.BroadcastOptions
---@return integer? count
---@return godwit.Refusal[] | godwit.Error | nil refused
function gw.broadcast(action, body, options) end

---Sessions that share a name. Made by the first that joins, gone with the last that leaves or ends.
---@class godwit.Group
---@field name string
local Group = {}

---To whoever is in the group at this moment; as gw.broadcast.
---@param action string
---@param body? string | number
---@param options? godwit.BroadcastOptions
---@return integer? count
---@return godwit.Refusal[] | godwit.Error | nil refused
function Group:publish(action, body, options) end

---Its sessions in the order of their ids, on all workers; and the cursor for the next call, nil when these are the last.
---@param cursor? integer | string
---@param limit? integer   1 to 1000, default 100
---@return godwit.Session[] sessions
---@return (integer | string)? cursor
function Group:members(cursor, limit) end

---How many sessions are in it, on all workers.
---@return integer
function Group:count() end

---Puts a session in, as session:join does.
---@param session godwit.Session | integer | string
---@return true? ok
---@return godwit.Error? err
function Group:join(session) end

---Takes a session out.
---@param session godwit.Session | integer | string
---@return true? ok
---@return godwit.Error? err
function Group:leave(session) end

---A group by its name of 1 to 256 bytes, whether somebody is in it or not. All apps of a server share them.
---@param name string
---@return godwit.Group
function gw.group(name) end

---@class godwit.OnceOptions
---@field ttl? godwit.Duration   how long the outcome is kept (default: `operations.ttl`)
---@field lease? godwit.Duration how long an execution counts as under way after its server died (default: `operations.lease`)
---@field wait? godwit.Duration  how long to wait for an execution that is under way; then OperationExecuting (default: `scripts.handler_timeout`)
---@field again? boolean         true: what broke off is executed once more; otherwise it is OperationUnknown (default: false)

---What has a key happens once, however often and on however many workers the app asks for it: the first call executes `fn`,
---others wait and get what it returned, as do later ones until the ttl is over. It returns plain data, as JSON has it, or
---`nil, err`, which is kept likewise. With `store.engine = "durable"` outcomes survive a restart. An execution that was ended
---from outside (a time limit, the death of the server) has broken off. Errors besides those of `fn`: OperationExecuting,
---OperationUnknown, StoreFull, StoreBusy, and what the disk says.
---@async
---@param key string                  1 to 512 bytes; other apps have keys of their own
---@param options? godwit.OnceOptions
---@param fn fun(): any, godwit.Error?
---@return any value
---@return godwit.Error? err
function gw.once(key, options, fn) end

---Values by name that this app shares between all workers and generations; gone with the process. Bounded by `[kv]` of
---the configuration: at the bound what has expired makes room, then writes are refused (StoreFull).
---@class godwit.Kv
gw.kv = {}

---The value; nil when the key is not there, or its time is over.
---@param key string   1 to 512 bytes
---@return godwit.Value?
function gw.kv.get(key) end

---Sets it, whatever was there before. MessageTooLarge for a key or value beyond its bound, StoreFull when there is no room.
---@param key string
---@param value godwit.Value   text of at most 1 MiB
---@param ttl? godwit.Duration default: for ever
---@return true? ok
---@return godwit.Error? err
function gw.kv.set(key, value, ttl) end

---True when the key was not there and is now.
---@param key string
---@param value godwit.Value
---@param ttl? godwit.Duration
---@return boolean? added
---@return godwit.Error? err
function gw.kv.add(key, value, ttl) end

---The sum. A key that is not there begins at `initial`, and has the ttl from then on.
---@param key string
---@param by? number       default 1
---@param initial? number  default 0
---@param ttl? godwit.Duration
---@return number? sum
---@return godwit.Error? err
function gw.kv.incr(key, by, initial, ttl) end

---True when the value was `old` (nil: not there) and is `new` (nil: not there) now.
---@param key string
---@param old? godwit.Value
---@param new? godwit.Value
---@param ttl? godwit.Duration
---@return boolean? changed
---@return godwit.Error? err
function gw.kv.cas(key, old, new, ttl) end

---Whether there was something to remove.
---@param key string
---@return boolean
function gw.kv.del(key) end

---Seconds that are left; `math.huge` for ever; nil when the key is not there.
---@param key string
---@return number?
function gw.kv.ttl(key) end

---In the order of their bytes, beyond `after`.
---@param prefix? string
---@param limit? integer   1 to 1000, default 100
---@param after? string
---@return string[]
function gw.kv.keys(prefix, limit, after) end

---@alias godwit.LogFields table<string, string | number | boolean>

---Lines in the server's log; each says which app and generation wrote it.
---@class godwit.Log
gw.log = {}

---What is only of interest to whoever looks for an error in detail.
---@param text any
---@param fields? godwit.LogFields
function gw.log.trace(text, fields) end

---What is of interest to whoever looks for an error.
---@param text any
---@param fields? godwit.LogFields
function gw.log.debug(text, fields) end

---What happens in normal operation.
---@param text any
---@param fields? godwit.LogFields
function gw.log.info(text, fields) end

---What somebody should look at sometime.
---@param text any
---@param fields? godwit.LogFields
function gw.log.warn(text, fields) end

---What somebody should look at now.
---@param text any
---@param fields? godwit.LogFields
function gw.log.error(text, fields) end

---Middleware, around every handler of the app; the first registered is outermost. It calls `next()` for what is inside of it,
---or answers by itself. Only while the app loads.
---@param fn fun(msg: godwit.Message, session: godwit.Session?, next: fun())
function gw.use(fn) end

---@class godwit.LimitOptions
---@field per_second number      messages, from then on
---@field burst? number          at once (default: per_second, at least 1)
---@field by? "session"|"uid"|"app" whose messages are counted together (default: "session")

---@class godwit.RetryOptions
---@field attempts? integer      in all, 2 to 10 (default: 3)
---@field delay? number|string   before the second attempt, doubled each time (default: 0.1)

---What is often wanted around handlers, made to be given to `gw.use`. Only while the app loads.
gw.middleware = {}

---One line for each message that was handled, with how long that took. One that failed has a line of the server's.
---@param options? { level?: string } trace, debug, info (the default), warn or error
---@return fun(msg: godwit.Message, session: godwit.Session?, next: fun())
function gw.middleware.log(options) end

---`fn(msg, err)` decides what becomes of a message whose handler raised something. When it leaves the message open, the error goes on.
---@param fn fun(msg: godwit.Message, err: any)
---@return fun(msg: godwit.Message, session: godwit.Session?, next: fun())
function gw.middleware.recover(fn) end

---What is inside has so long; then it is cancelled, and the message fails with `DeadlineExceeded`.
---@param duration number|string
---@return fun(msg: godwit.Message, session: godwit.Session?, next: fun())
function gw.middleware.timeout(duration) end

---Counts messages (`godwit_app_PREFIX_total`, by action and result) and how long they took (`godwit_app_PREFIX_seconds`).
---@param options? { prefix?: string } default: "messages"
---@return fun(msg: godwit.Message, session: godwit.Session?, next: fun())
function gw.middleware.metrics(options) end

---So many messages in a second; what is beyond fails with `RateLimited` and says when to try again. Each worker counts for itself.
---@param options godwit.LimitOptions
---@return fun(msg: godwit.Message, session: godwit.Session?, next: fun())
function gw.middleware.rate_limit(options) end

---Messages whose body is not what it should be fail with `BodyInvalid` and why. `rules` has for each action the fields of a JSON object and
---their types (`{ pay = { amount = "number", note = "string?" } }`), or is `fn(msg, session)`, which returns the complaint, or nothing.
---@param rules table<string, table<string, string>>|fun(msg: godwit.Message, session: godwit.Session?): string?
---@return fun(msg: godwit.Message, session: godwit.Session?, next: fun())
function gw.middleware.validate(rules) end

---Runs what is inside again when it raised an error value that is `retryable`, as long as the message is open. For handlers that do no
---harm when they run twice.
---@param options? godwit.RetryOptions
---@return fun(msg: godwit.Message, session: godwit.Session?, next: fun())
function gw.middleware.retry(options) end

---@class godwit.Declaration
---@field name? string        the folder's, checked
---@field version? string     found in `gw.info.app_version`
---@field requires? string[]  what the app uses of this module, such as "kv.incr": an older server says at load what it lacks

---What the app says of itself. Only while the app loads.
---@param declaration godwit.Declaration
function gw.app(declaration) end

---What stands in `[app.NAME.config]` of the server's configuration; read-only, lists are copies.
---@type table<string, any>
gw.config = {}

---@class godwit.Limits
---@field memory_max number       bytes
---@field memory_used number
---@field burst_max number        seconds
---@field cpu_max number
---@field load_timeout number
---@field handler_timeout number
---@field coroutines_max number
---@field events_max number
---@field timers_max number       gw.every and gw.cron

---The app's limits on this worker.
---@return godwit.Limits
function gw.limits() end

---@alias godwit.EventName
---| "session_created"    before its first message
---| "session_parted"     its connection was lost, and it waits for another
---| "session_resumed"    that came
---| "session_closed"     after its last message
---| "heartbeat_timeout"  nothing was heard of the client; session_parted or session_closed follows
---| "connection_error"   a connection ended by a mistake of either side; the same follows
---| "message_received"   before its handler
---| "message_sent"       or refused here, with a code
---| "broadcast"          something was sent to many
---| "promise_timeout"    a message to a client got no answer or acknowledgement in time

---@class godwit.SessionEvent
---@field event godwit.EventName
---@field session? godwit.Session  of a closed one, as it was; none of a broadcast
---@field groups? string[]         of a session's events: that it is in, or was until its end
---@field code? integer            why it closed or parted, what failed, as in `gw.errors`
---@field name? string             the code's name
---@field reason? string
---@field stop_reason? 1 | 2 | 3   of a closed one, when its client says why it goes: logout, app close, switch account
---@field resumes? integer         of a resumed one: how often it was
---@field action? string           of a message, or a broadcast
---@field message? integer | string  its id
---@field group? string            of a broadcast; "" for everybody
---@field count? integer           of a broadcast: to how many sessions

---Runs for each event, beside messages, on the session's worker. It may wait. Events of messages cost something for each of them,
---and are dropped, counted and logged when more than `events_max` wait for the app. Only while the app loads.
---@param event godwit.EventName
---@param fn fun(ev: godwit.SessionEvent)
---@param options? table  none yet
function gw.on(event, fn, options) end

---What a client says of itself, and what its certificate says of it.
---@class godwit.Credentials
---@field client_id string
---@field uid? string
---@field token? string
---@field agent? string             name and version of the client program
---@field certificate_name? string  of the verified client certificate
---@field address string

---@class godwit.Identity
---@field uid string
---@field groups? string[]          that the session is in from the beginning
---@field attributes? table<string, string | number | boolean>  as `session:get` finds them
---@field actions? string[]         all that it may send, as patterns such as "command/chat.*" (default: everything)
---@field body_max? integer         bytes of one message (default: what the server takes)
---@field sessions_max? integer     that this uid may have at one time
---@field expires? integer          when the session ends at the latest, in seconds since 1970

---Decides who may come in, where `auth.mode` is `"lua"`. `nil, reason` refuses (the reason is for the log), `nil` alone leaves it
---to other apps; errors, and more time than `session.login_timeout`, refuse. It may wait. Only while the app loads.
---@param fn fun(cred: godwit.Credentials): godwit.Identity?, any
function gw.authenticate(fn) end

---@class godwit.Destination
---@field kind godwit.Kind
---@field app string       whose handler gets the message
---@field pattern string   that it is bound to

---Is asked about every message, for whichever app it is, before its handler; nothing but `true` allows it. What is refused is
---answered `Forbidden` and stands in the log. It must not wait. Of several all must allow. Only while the app loads.
---@param fn fun(session: godwit.Session?, action: string, target: godwit.Destination): boolean, string?
function gw.authorize(fn) end

---Gives messages another address: the action `target`, in which wildcards stand for what the pattern's wildcards matched, or
---what the function returns. Only while the app loads.
---@param pattern string
---@param target string | fun(msg: godwit.Message, session: godwit.Session?): string?, godwit.Error?
function gw.route(pattern, target) end

---How bodies of some size travel. Bytes, seconds and counts.
---@class godwit.Plan
---@field class? "tiny" | "small" | "medium" | "large" | "huge"   what it is counted as
---@field lane? "shared" | "own"            in order with the small messages (below 64 KiB only), or on a stream of its own
---@field buffer? godwit.Size               held in memory for it, at most 64 MiB
---@field chunk? godwit.Size                a piece of it, at most the buffer
---@field timeout? godwit.Duration          at most a day
---@field retries? integer                  at most 100
---@field streams? integer                  that share it, 1 to 64
---@field compress? boolean

---@alias godwit.Size number | string   bytes, or text: "64KiB", "1MiB"

---What a strategy is asked about: all bodies of some sizes, of one class, on paths that are alike.
---@class godwit.Sizes
---@field class "tiny" | "small" | "medium" | "large" | "huge"
---@field size_min number   bytes
---@field size_max number   bytes; `math.huge` when there is no end
---@field rtt? number       seconds; nil while it is not known
---@field loss number       share of packets lost of late, 0 to 1
---@field plan godwit.Plan  the server's own, whole

---@class godwit.SizeRange
---@field min? godwit.Size   default: 0
---@field max? godwit.Size   default: no end

---Plans how bodies travel whose size lies in the range, both ends included; of several the narrowest range plans. `fn` is asked
---about every size class and kind of path when the app goes live, its answers are kept, and it must not wait. It returns what is
---to be other than in `info.plan`, or nil. After an error, or an answer that makes no sense, the range is left to the server's
---own plan until the next generation. Messages use the lane; the rest is for bodies beyond `message.inline_max`. Only while the app
---loads, at most 16 times.
---@param fn fun(info: godwit.Sizes): godwit.Plan?
---@param range? godwit.SizeRange
function gw.strategy(fn, range) end

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

---What operators may call by `godwit script run APP NAME ARG…`: text or plain data is the answer, `nil, err` a failure. It may
---wait. Only while the app loads.
---@param name string  a-z, 0-9, '.', '_' and '-'
---@param options? { help?: string, args?: string }  one line each; `args` says how they are written: "UID [REASON]"
---@param fn fun(args: string[]): any, any
---@overload fun(name: string, fn: fun(args: string[]): any, any)
function gw.command(name, options, fn) end

---@alias godwit.Labels table<string, string | number>

---@class godwit.Counter
local Counter = {}

---LimitReached: one combination of labels too many. Labels may come alone.
---@param amount? number | godwit.Labels  1 when nil; not negative
---@param labels? godwit.Labels
---@return boolean? ok
---@return godwit.Error? err
function Counter:inc(amount, labels) end

---@class godwit.Gauge
local Gauge = {}

---Adds to this worker's share.
---@param amount? number | godwit.Labels  1 when nil
---@param labels? godwit.Labels
---@return boolean? ok
---@return godwit.Error? err
function Gauge:inc(amount, labels) end

---This worker's share.
---@param value number
---@param labels? godwit.Labels
---@return boolean? ok
---@return godwit.Error? err
function Gauge:set(value, labels) end

---@class godwit.Histogram
local Histogram = {}

---Counts one more value.
---@param value number
---@param labels? godwit.Labels
---@return boolean? ok
---@return godwit.Error? err
function Histogram:observe(value, labels) end

---What the app counts, told at /metrics as godwit_app_NAME. Only while the app loads.
---@class godwit.Metric
gw.metric = {}

---What only grows.
---@param name string  a-z, 0-9 and _
---@param options? { help?: string, labels?: string[] }
---@return godwit.Counter
function gw.metric.counter(name, options) end

---The sum of what each worker has set.
---@param name string  a-z, 0-9 and _
---@param options? { help?: string, labels?: string[] }
---@return godwit.Gauge
function gw.metric.gauge(name, options) end

---Without buckets: those of durations in seconds, from 0.0005 to 30.
---@param name string  a-z, 0-9 and _
---@param options? { help?: string, labels?: string[], buckets?: number[] }  upper ends, ascending
---@return godwit.Histogram
function gw.metric.histogram(name, options) end

---@class godwit.HttpRequest
---@field url string  http or https
---@field method? string  GET unless said otherwise
---@field headers? table<string, string>
---@field body? string
---@field timeout? godwit.Duration  for all of it; default 10 s, at most 300 s
---@field max_body? integer  bytes of the answer; default 1 MiB

---@class godwit.HttpResponse
---@field status integer
---@field headers table<string, string>  names in lower case; values of one name joined by ", ", those of set-cookie by line ends
---@field body string

---Asks HTTP servers, as far as scripts.http_allow and scripts.http_private allow it.
---@class godwit.Http
gw.http = {}

---Waits. An answer of any status is one; redirects are not followed. HttpForbidden, HttpFailed, DeadlineExceeded,
---MessageTooLarge (more than `max_body`), LimitReached (scripts.http_requests_max).
---@param request godwit.HttpRequest
---@return godwit.HttpResponse? response
---@return godwit.Error? err
function gw.http.request(request) end

---Waits: runs the function of that name of one of the app's modules on a thread of the server's pool, for what computes long.
---It runs in a Lua state of its own, without sessions, and cannot wait; plain data goes in and out, as JSON has it.
---@param module string  as `require` takes it; a table of functions
---@param name string
---@param ... any
---@return any value
---@return godwit.Error? err
function gw.work(module, name, ...) end

---An error as a value: to be returned as `nil, err`, or raised, which fails the message with its code and text.
---@param code string | integer  a name or number of `gw.errors`
---@param text? string
---@param options? godwit.FailOptions   of what the code says without, a delay of the caller's choice
---@return godwit.Error
function gw.err(code, text, options) end

---Every error code by its name.
---@type table<string, integer>
gw.errors = {}

---@class godwit.Info
---@field app string
---@field generation integer   goes up with every reload
---@field worker integer       from 0
---@field version string       of the server
---@field app_version? string  as gw.app declared it
gw.info = {}

---@class godwit.TextCodec
---@field encode fun(bytes: string): string
---@field decode fun(text: string): string?, godwit.Error?

---RFC 4648, strict.
---@type godwit.TextCodec
gw.base64 = {}

---@type godwit.TextCodec
gw.hex = {}

---All but `equal` give hex digits. The first two are checksums, not for secrets.
---@class godwit.Hash
---@field xxh3 fun(bytes: string): string
---@field crc32c fun(bytes: string): string
---@field sha256 fun(bytes: string): string
---@field hmac_sha256 fun(key: string, bytes: string): string
---@field equal fun(a: string, b: string): boolean  in constant time, for codes and tokens
gw.hash = {}

---Ids that nobody else has (RFC 9562), as text.
---@class godwit.Uuid
---@field v4 fun(): string  random
---@field v7 fun(): string  begins with the time; each is greater than the one before on this worker
gw.uuid = {}

---@class godwit.Zstd
gw.zstd = {}

---Compressed bytes, in zstd's frame format.
---@param bytes string
---@param level? integer  1 (fast) to 9 (small); default 3
---@return string? compressed
---@return godwit.Error? err
function gw.zstd.compress(bytes, level) end

---Refuses (MessageTooLarge) before making room when more than `limit` bytes would come out.
---@param bytes string
---@param limit integer  bytes
---@return string? original
---@return godwit.Error? err
function gw.zstd.decompress(bytes, limit) end

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

---The value that a JSON text stands for; `nil, err` (ValueWrong) says where it is none.
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
