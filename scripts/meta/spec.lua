---@meta

-- What editors with the Lua language server know of spec files, which `godwit test` runs. Nothing here is ever run.

---A group of cases; its name comes before theirs. May be nested.
---@param name string
---@param fn fun()
function describe(name, fn) end

---A case: its own server, app generation and clock, which begins on 2025-01-01 at 00:00 UTC and moves on only while the
---case waits. It fails when an error leaves it, or leaves what a fake client answers.
---@param name string
---@param fn fun()
function it(name, fn) end

---A case that is yet to be written.
---@param name string
function pending(name) end

---Runs before each case of this `describe` and of those within, the outer ones first.
---@param fn fun()
function before_each(fn) end

---Runs after each case, also after one that failed; the inner ones first.
---@param fn fun()
function after_each(fn) end

---@class godwit.test
test = {}

---@class godwit.TestSession
---@field client_id? string  default: "client-1", "client-2", …
---@field uid? string
---@field address? string    default: "127.0.0.1:40000"
---@field token? string      what it proves itself with, where the app decides who may come in
---@field certificate_name? string  of the client certificate that is taken for verified

---A fake client that connects: what it sends goes the way of all messages, and it keeps what the app sends to it.
---`nil, err` when the app does not let it in. Inside of a case only.
---@param fields? godwit.TestSession
---@return godwit.Client? client
---@return godwit.Error? err
function test.session(fields) end

---Lets everything happen that is to happen now, and then so much time pass: timers fire in their order.
---@param duration godwit.Duration
function test.advance(duration) end

---Lets everything happen that is to happen now.
function test.settle() end

---Runs what the app has bound by `gw.command`, as `godwit script run` does: its answer, or nil and an error.
---@param name string
---@param ... string | number
---@return any answer
---@return godwit.Error? err
function test.command(name, ...) end

---A message that a fake client has received.
---@class godwit.ReceivedMessage
---@field kind "command" | "query" | "event"
---@field action string
---@field body string
---@field headers table<string, string>

---A fake client, as `test.session` makes it.
---@class godwit.Client
---@field id integer | string  of its session, as the app sees it
---@field uid? string
---@field client_id string
local Client = {}

---Sends a command and waits for the reply.
---@param action string
---@param body? string | number
---@param options? godwit.RequestOptions
---@return godwit.Reply? reply
---@return godwit.Error? err
function Client:request(action, body, options) end

---Sends a query and waits for the reply.
---@param action string
---@param body? string | number
---@param options? godwit.RequestOptions
---@return godwit.Reply? reply
---@return godwit.Error? err
function Client:query(action, body, options) end

---Sends an event; returns when its handler has it or refused it. With `confirm = false` at once.
---@param action string
---@param body? string | number
---@param options? godwit.SendOptions
---@return true? ok
---@return godwit.Error? err
function Client:event(action, body, options) end

---What this client answers when the app asks it: `fn` returns body and headers, or nil and an error (`gw.err`). It may
---wait. `"*"` stands for every action that has no function of its own. A client that does not answer fails the request
---with HandlerNotFound.
---@param action string
---@param fn fun(message: godwit.ReceivedMessage): body: (string | number)?, headers: (table<string, string> | godwit.Error)?
function Client:on(action, fn) end

---What the app has sent to this client so far, in order; of one action, or all.
---@param action? string
---@return godwit.ReceivedMessage[]
function Client:received(action) end

---Forgets what was received so far.
function Client:forget() end

---The client goes away, as after a lost connection.
---@return boolean
function Client:close() end

---False once either side has ended the session.
---@return boolean
function Client:alive() end

---The groups that it is in, by name.
---@return string[]
function Client:groups() end

---An attribute that the app keeps about it, as text; nil when there is none.
---@param name string
---@return string?
function Client:get(name) end

---Checks. Each fails the case with what was expected, what came, and file and line; the expected value comes first, and
---what was got is returned. `hint` stands before the message. Called as a function it is Lua's own, so that
---`local reply = assert(client:request("x"))` shows the error that came instead of a reply.
---@class godwit.assert
---@field are godwit.assert  means nothing: `assert.are.same(…)`
---@field is godwit.assert   means nothing
---@field has godwit.assert  means nothing
---@overload fun(value: any, message?: any, ...: any): any
assert = {}

---The same value.
---@generic T
---@param expected any
---@param got T
---@param hint? string
---@return T
function assert.equal(expected, got, hint) end

---@generic T
---@param unexpected any
---@param got T
---@param hint? string
---@return T
function assert.not_equal(unexpected, got, hint) end

---Equal in all entries, however deep.
---@generic T
---@param expected any
---@param got T
---@param hint? string
---@return T
function assert.same(expected, got, hint) end

---@generic T
---@param unexpected any
---@param got T
---@param hint? string
---@return T
function assert.not_same(unexpected, got, hint) end

---Neither nil nor false; returns all it was given, and shows the second value where the first is missing.
---@param value any
---@param ... any
---@return any ...
function assert.truthy(value, ...) end

---@param value any
---@param hint? string
function assert.falsy(value, hint) end

---@param value any
---@param hint? string
function assert.is_true(value, hint) end

---@param value any
---@param hint? string
function assert.is_false(value, hint) end

---@param value any
---@param hint? string
function assert.is_nil(value, hint) end

---A number, give or take `tolerance`.
---@param expected number
---@param got number
---@param tolerance number
---@param hint? string
---@return number
function assert.near(expected, got, tolerance, hint) end

---A text in which the Lua pattern is found.
---@param pattern string
---@param text string
---@param hint? string
---@return string
function assert.matches(pattern, text, hint) end

---A text within a text, or an equal entry in a list.
---@param wanted any
---@param whole string | table
---@param hint? string
---@return string | table
function assert.contains(wanted, whole, hint) end

---The function raises an error; with a pattern, one in whose text it is found. Returns the error.
---@param fn fun()
---@param pattern? string
---@param hint? string
---@return any
function assert.error(fn, pattern, hint) end

---@param fn fun()
---@param hint? string
function assert.no_error(fn, hint) end

---The call before it returned `nil, err`, and the error has this code: `assert.refused("Forbidden", client:request("x"))`.
---@param code string | integer  a name or number of `gw.errors`
---@param value any
---@param err? godwit.Error
---@return godwit.Error
function assert.refused(code, value, err) end
