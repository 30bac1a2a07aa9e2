-- gw.http: asks HTTP servers, as far as the operator allows it (scripts.http_allow, scripts.http_private).
local host = ...

local bridge = host.bridge
local error, floor, pairs, sort, tostring, type = error, math.floor, pairs, table.sort, tostring, type
local kOptions = { method = true, url = true, headers = true, body = true, timeout = true, max_body = true }
local kTimeout, kTimeoutMax, kBodyBytesMax = 10, 300, 1048576
-- The client itself keeps the deadline; this one is for an answer that got lost on the way to its worker.
local kGrace = 1

local function flat(headers)
    if type(headers) ~= "table" then error("gw.http.request: headers must be a table of name = value", 4) end
    local names, list = {}, {}
    for name, value in host.globals.pairs(headers) do
        if type(name) ~= "string" or type(value) ~= "string" then
            error("gw.http.request: headers must have names and values that are strings", 4)
        end
        names[#names + 1] = name
    end
    sort(names)
    for _, name in pairs(names) do
        list[#list + 1], list[#list + 2] = name, headers[name]
    end
    return list
end

-- method, url, body, seconds, the bound of the answer, headers.
local function check(request)
    if type(request) ~= "table" then error("gw.http.request: expected a table, got " .. type(request), 3) end
    for option in pairs(request) do
        if not kOptions[option] then error("gw.http.request: unknown field '" .. tostring(option) .. "'", 3) end
    end
    local method, url, body = request.method or "GET", request.url, request.body or ""
    for name, value in pairs({ method = method, url = url or false, body = body }) do
        if type(value) ~= "string" then error(("gw.http.request: %s must be a string"):format(name), 3) end
    end
    local seconds = request.timeout == nil and kTimeout or host.seconds(request.timeout, "gw.http.request: timeout", 3)
    if seconds <= 0 or seconds > kTimeoutMax then
        error(("gw.http.request: timeout must be above 0 and at most %d s"):format(kTimeoutMax), 3)
    end
    local bytes = request.max_body == nil and kBodyBytesMax or request.max_body
    if type(bytes) ~= "number" or bytes < 0 or bytes > host.text_bytes_max or bytes ~= floor(bytes) then
        error(("gw.http.request: max_body must be a number of bytes, at most %d"):format(host.text_bytes_max), 3)
    end
    return method:upper(), url, body, seconds, bytes, flat(request.headers or {})
end

-- Waits: { status =, headers =, body = }, whatever the status, or nil and why there is no answer.
local function request(given)
    local method, url, body, seconds, bytes, headers = check(given)
    local token, err = host.new_wait("gw.http.request")
    if not token then return nil, err end
    local begun, code, text = host.http_request(token, method, url, body, seconds, bytes, headers)
    if not begun then
        bridge.forget_wait(bridge.self, token)
        return nil, host.new_error(code, text)
    end
    code = host.wait_at_most(token, seconds + kGrace)
    if code ~= 0 then return nil, host.new_error(code) end
    local status = bridge.wake.number
    if status < 0 then
        text = bridge.wake.text
        return nil, host.new_error(-status, host.ffi.string(text.data, text.size))
    end
    return { status = status, headers = host.wake_headers(), body = host.wake_body() }
end

host.gw.http = host.view("gw.http", { request = request })
