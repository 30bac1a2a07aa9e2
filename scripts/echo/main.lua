-- Answers whatever is sent to `echo` with its own body.
local gw = require "godwit"

gw.handle("echo", function(msg)
  msg:reply(msg:body())
end)
