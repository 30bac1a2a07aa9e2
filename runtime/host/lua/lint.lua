-- Which globals code reads and sets, from the bytecode that the real compiler makes of it. Runs in a bare VM, never in an
-- app's. The opcodes are asked of the compiler itself, so that no table of them can be wrong.
local util = ...

local funcbc, funck, funcinfo = util.funcbc, util.funck, util.funcinfo
local band, rshift = bit.band, bit.rshift

local function opcode_at(code, position) return band(funcbc(loadstring(code), position), 0xff) end
local kRead, kSet = opcode_at("return a_global", 1), opcode_at("a_global = nil", 2)

local function walk(fn, in_function, report)
    local info = funcinfo(fn)
    for position = 1, info.bytecodes - 1 do
        local instruction = funcbc(fn, position)
        local opcode = band(instruction, 0xff)
        if opcode == kRead or opcode == kSet then
            local name = funck(fn, -rshift(instruction, 16) - 1)
            report(name, funcinfo(fn, position).currentline, opcode == kSet, in_function)
        end
    end
    for index = -1, -info.gcconsts, -1 do
        local constant = funck(fn, index)
        if type(constant) == "proto" then walk(constant, true, report) end
    end
end

-- Calls report(name, line, whether it is set, whether inside of a function) for each use. What does not parse raises.
return function(text, chunk, report)
    local fn, reason = loadstring(text, chunk)
    if not fn then error(reason, 0) end
    walk(fn, false, report)
end
