-- Rooms in which people talk: groups, presence, and words to one person. See README.md for the actions.
local gw = require "godwit"

local function name_of(session) return session.uid or session.client_id end

-- Groups are shared by all apps of a server: a prefix keeps these apart.
local function room_of(name) return gw.group("chat:" .. name) end

local function check_room(msg, name)
    if #name >= 1 and #name <= 64 and not name:find("%c") then return true end
    msg:fail("ValueWrong", "a room's name has 1 to 64 bytes")
end

local function names_in(room)
    local names, seen, cursor = {}, {}, nil
    repeat
        local members
        members, cursor = room:members(cursor, 1000)
        for _, member in ipairs(members) do
            local name = name_of(member)
            if not seen[name] then names[#names + 1], seen[name] = name, true end
        end
    until not cursor
    table.sort(names)
    return names
end

-- Tells a room that somebody left, unless another of their devices is still in it.
local function tell_left(name, who)
    local room = room_of(name)
    for _, present in ipairs(names_in(room)) do
        if present == who then return end
    end
    room:publish("chat.left", who, { headers = { room = name } })
end

local function is_in(session, group)
    for _, name in ipairs(session:groups()) do
        if name == group then return true end
    end
    return false
end

gw.handle("command/chat.join", function(msg, session)
    local name = msg:body()
    if not check_room(msg, name) then return end
    local room = room_of(name)
    local joined, err = room:join(session)
    if not joined then return msg:fail(err.code, err.message) end
    room:publish("chat.joined", name_of(session), { headers = { room = name }, except = session })
    msg:reply(table.concat(names_in(room), "\n"))
end)

gw.handle("command/chat.leave", function(msg, session)
    local name = msg:body()
    if not check_room(msg, name) then return end
    if is_in(session, "chat:" .. name) then
        room_of(name):leave(session)
        tell_left(name, name_of(session))
    end
    msg:reply()
end)

gw.handle("command/chat.say", function(msg, session)
    local name = msg.headers.room or ""
    if not is_in(session, "chat:" .. name) then return msg:fail("Forbidden", "join the room before you speak in it") end
    local heard, err = room_of(name):publish("chat.said", msg:body(),
        { headers = { room = name, from = name_of(session) }, except = session })
    if not heard then return msg:fail(err.code, err.message) end
    msg:reply(heard)
end)

gw.handle("query/chat.who", function(msg)
    local name = msg:body()
    if not check_room(msg, name) then return end
    msg:reply(table.concat(names_in(room_of(name)), "\n"))
end)

-- To one person, on all their devices. It is an answer only when a device has it.
gw.handle("command/chat.tell", function(msg, session)
    local to = msg.headers.to or ""
    local reached, err = gw.send(to, "chat.told", msg:body(),
        { headers = { from = name_of(session) }, confirm = true, timeout = 5 })
    if not reached then return msg:fail(err.code, err.message) end
    msg:reply(reached)
end)

-- Presence: a session leaves its groups when it ends, however it ends. Here the others are told.
gw.on("session_closed", function(ev)
    for _, group in ipairs(ev.groups) do
        local name = group:match("^chat:(.*)$")
        if name then tell_left(name, name_of(ev.session)) end
    end
end)

gw.command("who", { help = "Who is in a room.", args = "ROOM" }, function(args)
    if not args[1] then return nil, gw.err("UsageInvalid", "of which room?") end
    return table.concat(names_in(room_of(args[1])), "\n")
end)
