-- gw.base64, gw.hex, and the checksums of gw.hash: bytes as text. None is for secrets.
local host = ...

local gw = host.gw
local error, type = error, type

local function of_text(name, fn)
    return function(text)
        if type(text) ~= "string" then error(("%s: expected a string, got %s"):format(name, type(text)), 2) end
        return fn(text)
    end
end

local function decoder(name, fn)
    return of_text(name, function(text)
        local bytes = fn(text)
        if bytes then return bytes end
        return nil, host.new_error(host.errors.ValueWrong, name .. ": malformed text")
    end)
end

gw.base64 = host.view("gw.base64", {
    encode = of_text("gw.base64.encode", host.base64_encode),
    decode = decoder("gw.base64.decode", host.base64_decode),
})
gw.hex = host.view("gw.hex", {
    encode = of_text("gw.hex.encode", host.hex_encode),
    decode = decoder("gw.hex.decode", host.hex_decode),
})
host.hashes = {
    xxh3 = of_text("gw.hash.xxh3", host.xxh3),
    crc32c = of_text("gw.hash.crc32c", host.crc32c),
}
gw.hash = host.view("gw.hash", host.hashes)
