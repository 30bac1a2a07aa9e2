-- gw.zstd: compression. What comes out of a small text may be huge, so that the one who unpacks says how much it may be.
local host = ...

local error, floor, type = error, math.floor, type
local kLevelMin, kLevelMax, kLevel = 1, 9, 3

local function check_bytes(bytes, name)
    if type(bytes) ~= "string" then error(("%s: expected a string, got %s"):format(name, type(bytes)), 3) end
end

local function value_or_error(name, value, code, text)
    if value then return value end
    return nil, host.new_error(code, name .. ": " .. text)
end

local function compress(bytes, level)
    check_bytes(bytes, "gw.zstd.compress")
    level = level == nil and kLevel or level
    if type(level) ~= "number" or level ~= floor(level) or level < kLevelMin or level > kLevelMax then
        error(("gw.zstd.compress: the level must be a whole number from %d to %d"):format(kLevelMin, kLevelMax), 2)
    end
    return value_or_error("gw.zstd.compress", host.zstd_compress(bytes, level))
end

local function decompress(bytes, limit)
    check_bytes(bytes, "gw.zstd.decompress")
    if type(limit) ~= "number" or not (limit >= 0) then
        error("gw.zstd.decompress: the second argument says how many bytes the result may have", 2)
    end
    return value_or_error("gw.zstd.decompress", host.zstd_decompress(bytes, limit))
end

host.gw.zstd = host.view("gw.zstd", { compress = compress, decompress = decompress })
