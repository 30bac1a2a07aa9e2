-- Takes the messages of a batch to their handlers. Runs in a coroutine of the host. No pcall: an error ends the
-- coroutine with its stack still there to be described, the host answers for the message that raised it and goes on
-- behind it in another coroutine. A handler that waits keeps the coroutine for itself, and the host goes on in another.
local host = ...

local bridge, handlers, message_at, session_of = host.bridge, host.handlers, host.message_at, host.session_of
local records, self = bridge.records, bridge.self
local kOpen, kOver = host.ffi.C.GW_OPEN, host.ffi.C.GW_OVER

function host.dispatch()
    while bridge.next < bridge.count do
        local index = bridge.next
        bridge.next = index + 1
        bridge.turn = bridge.turn + 1
        local record = records[index]
        local serial = bridge.first_serial + index
        handlers[record.handler](message_at(index), session_of(record))
        -- It has waited: its batch is history, and the records are another's.
        if bridge.first_serial + index ~= serial then return bridge.finish(self, serial) end
        if record.state == kOpen then bridge.done(self, record) end
        record.state = kOver
    end
end
