-- First of the prelude: the only code that has ffi, and takes it away from everybody after it.
local host, ffi, pointer, types = ...

ffi.cdef(types)
host.ffi = ffi
host.bridge = ffi.cast("gw_bridge*", pointer)

local bridge = host.bridge
local self = bridge.self
function host.now() return bridge.now(self) end
function host.unix_time() return bridge.unix_time(self) end

-- A script's machine code lies outside its memory limit: enough for any handler, but bounded.
jit.opt.start("maxmcode=2048", "maxtrace=2000")
