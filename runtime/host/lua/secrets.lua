-- gw.uuid, and what gw.hash has beyond checksums: ids that nobody guesses, digests, and codes made with a key.
local host = ...

local gw = host.gw
local error, type = error, type

local function check_string(value, name, what)
    if type(value) ~= "string" then error(("%s: %s must be a string, got %s"):format(name, what, type(value)), 3) end
end

gw.uuid = host.view("gw.uuid", { v4 = host.uuid_v4, v7 = host.uuid_v7 })

local hashes = host.hashes
function hashes.sha256(bytes)
    check_string(bytes, "gw.hash.sha256", "what is hashed")
    return host.sha256(bytes)
end

function hashes.hmac_sha256(key, bytes)
    check_string(key, "gw.hash.hmac_sha256", "the key")
    check_string(bytes, "gw.hash.hmac_sha256", "what is hashed")
    return host.hmac_sha256(key, bytes)
end

-- Takes as long for what differs at its first byte as for what is equal.
function hashes.equal(a, b)
    check_string(a, "gw.hash.equal", "the first argument")
    check_string(b, "gw.hash.equal", "the second argument")
    return host.equal(a, b)
end
