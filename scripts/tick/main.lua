-- A clock for many: at a fixed rate, in packets that may be lost, because the next one is better than an old one.
local gw = require "godwit"

local RATE = 20 -- a second

local number = 0

gw.handle("command/tick.start", function(msg, session)
  local joined, err = session:join("tick")
  if not joined then return msg:fail(err.code, err.message) end
  msg:reply(gw.json.encode({ rate = RATE, number = number }))
end)

gw.handle("command/tick.stop", function(msg, session)
  session:leave("tick")
  msg:reply()
end)

gw.every(1 / RATE, function()
  number = number + 1
  local body = gw.json.encode({ number = number, time = gw.time() })
  gw.broadcast("tick", body, { group = "tick", unreliable = true, ttl = 2 / RATE })
end)

-- A reload goes on counting.
gw.export(function() return { number = number } end)
gw.import(function(state) number = state.number end)
