#!/usr/bin/env python3
"""Who may come in, what they may do, and how they are put out: signed tokens, rights, revocations, and one session a name."""

import json
import signal

import harness
from harness import OK, PEER_FAILED, UNREACHABLE, USAGE, Server, run, start

APP = """
local gw = require "godwit"
gw.handle("who", function(msg, session)
  local groups = session:groups()
  table.sort(groups)
  msg:reply(session.client_id .. "/" .. session.uid .. "/" .. table.concat(groups, ","))
end)
gw.handle("query/time", function(msg) msg:reply("now") end)
gw.handle("command/reboot", function(msg) msg:reply("bye") end)
gw.handle("event/note", function(msg) end)
"""


class Identified(Server):
    """A server that believes signed tokens."""

    def __init__(self, config="", arguments=(), rights=None):
        self.rights = rights
        super().__init__({"app": APP}, config='[auth]\nmode = "signed"\nkeys_file = "keys.toml"\n'
                         'revoked_file = "revoked"\n' + config, arguments=arguments)

    def _start(self):
        self.keys = self.folder / "keys.toml"
        if not self.keys.exists():
            self.write_keys("first")
        if self.rights:
            (self.folder / "rights.toml").write_text(self.rights)
        super()._start()

    def write_keys(self, *ids):
        known = getattr(self, "known", {})
        for name in ids:
            known.setdefault(name, run("token", "key", name).expect(OK).out)
        self.known = known
        self.keys.touch(mode=0o600)
        self.keys.write_text("[keys]\n" + "".join(known[name] for name in ids))

    def token(self, uid, *arguments):
        return run("token", "make", "--keys", self.keys, "--uid", uid, *arguments).expect(OK).out.strip()

    def as_(self, token, action, *arguments):
        return self.request(action, "--token", token, *arguments)

    def listen(self, token, client_id):
        listener = start("listen", self.address, "--ca", self.certificate, "--token", token, "--client-id", client_id)
        lines = harness.Lines(listener.stderr)
        lines.wait_for("listening as")
        return listener, lines

    def reload(self):
        return run("reload", "-c", self.config_file, cwd=self.folder)

    def control(self, *arguments):
        return run(*arguments[:2], "-c", self.config_file, *arguments[2:], cwd=self.folder)


def test_a_signed_token_says_who_it_is_and_a_changed_or_expired_one_says_nothing():
    with Identified() as server:
        token = server.token("ada", "--group", "staff", "--group", "admins")
        assert server.as_(token, "who", "--client-id", "phone").expect(OK).out.strip() == "phone/ada/admins,staff"
        for wrong in [token[:-1] + ("0" if token[-1] != "0" else "1"), token.replace(".first.", ".other."), "x"]:
            refused = server.as_(wrong, "who").expect(UNREACHABLE)
            assert "Unauthenticated (6001)" in refused.err, refused.err
        assert "Unauthenticated" in server.request("who").expect(UNREACHABLE).err
        assert "Unauthenticated" in server.as_(token, "who", "--uid", "eve").expect(UNREACHABLE).err
        brief = server.token("ada", "--lifetime", "1s")
        expires = json.loads(run("token", "show", brief).expect(OK).out)["expires_unix_s"]
        harness.wait_until(lambda: json.loads(run("token", "show", brief).out)["expired"])
        assert "Unauthenticated" in server.as_(brief, "who").expect(UNREACHABLE).err, expires


def test_a_token_of_one_client_opens_no_session_of_another():
    with Identified() as server:
        token = server.token("ada", "--client", "phone")
        server.as_(token, "who", "--client-id", "phone").expect(OK)
        assert "Unauthenticated" in server.as_(token, "who", "--client-id", "tablet").expect(UNREACHABLE).err


def test_what_a_token_does_not_allow_is_answered_forbidden_and_stands_in_the_log():
    with Identified() as server:
        token = server.token("ada", "--action", "query/**", "--action", "event/note", "--body-max", "10")
        server.as_(token, "time", "--kind", "query").expect(OK)
        refused = server.as_(token, "reboot").expect(PEER_FAILED)
        assert "Forbidden (6002)" in refused.err, refused.err
        server.log.wait_for(r"not allowed.*uid=ada.*action=reboot|not allowed.*action=reboot.*uid=ada")
        assert "MessageTooLarge" in server.as_(token, "time", "--kind", "query", "--body", "x" * 11).err
        server.send("note", "--token", token).expect(OK)
        assert "Forbidden" in server.send("other", "--token", token).expect(PEER_FAILED).err
        assert server.metric("godwit_messages_dropped_total") >= 2


def test_the_operators_file_bounds_users_whatever_their_credentials_say():
    rights = '[uid.ada]\ngroups = ["staff"]\nsessions_max = 1\n[uid."*"]\nactions = ["query/time"]\n'
    with Identified('rights_file = "rights.toml"\n', rights=rights) as server:
        ada, eve = server.token("ada"), server.token("eve")
        assert server.as_(ada, "who", "--client-id", "phone").expect(OK).out.strip() == "phone/ada/staff"
        assert "Forbidden" in server.as_(eve, "who").expect(PEER_FAILED).err
        server.as_(eve, "time", "--kind", "query").expect(OK)
        first, _ = server.listen(ada, "phone")
        assert "TooManyConnections" in server.as_(ada, "who", "--client-id", "tablet").expect(UNREACHABLE).err
        server.as_(ada, "who", "--client-id", "phone").expect(OK)  # takes its own place
        first.wait(5)


def test_keys_are_changed_one_after_the_other_while_the_server_runs():
    with Identified() as server:
        old = server.token("ada")
        server.write_keys("first", "second")
        next_one = server.token("ada", "--key", "second")
        assert "Unauthenticated" in server.as_(next_one, "who").expect(UNREACHABLE).err
        server.reload().expect(OK)
        server.as_(old, "who").expect(OK)
        server.as_(next_one, "who").expect(OK)
        server.write_keys("second")
        server.reload().expect(OK)
        server.as_(next_one, "who").expect(OK)
        assert "Unauthenticated" in server.as_(old, "who").expect(UNREACHABLE).err
        server.keys.write_text("nonsense")
        server.reload()
        server.as_(next_one, "who").expect(OK)
        server.log.wait_for("identities not reloaded")


def test_who_is_revoked_is_put_out_at_once_and_not_let_in_again_even_after_a_restart():
    with Identified(arguments=["--set", "server.workers=2"]) as server:
        ada, eve = server.token("ada"), server.token("eve")
        listeners = [server.listen(ada, f"ada-{n}") for n in range(4)]
        innocent, _ = server.listen(eve, "eve-1")
        listed = server.control("session", "ls", "--uid", "ada", "--json").expect(OK).json["result"]
        assert sorted(one["client"] for one in listed) == [f"ada-{n}" for n in range(4)], listed
        assert "revoked" in server.control("session", "revoke", "--uid", "ada").expect(OK).out
        for listener, lines in listeners:
            lines.wait_for(r"Revoked")
            assert listener.wait(5) != 0
        assert "Unauthenticated" in server.as_(ada, "who").expect(UNREACHABLE).err
        server.as_(eve, "who").expect(OK)
        assert innocent.poll() is None
        innocent.kill()
        innocent.wait()
        assert server.stop() == 0
        server.start_again()
        assert "Unauthenticated" in server.as_(ada, "who").expect(UNREACHABLE).err
        (server.folder / "revoked").write_text("")
        server.reload().expect(OK)
        server.as_(ada, "who").expect(OK)


def test_one_token_can_be_revoked_and_its_users_others_stay_good():
    with Identified() as server:
        lost, kept = server.token("ada"), server.token("ada")
        shown = json.loads(run("token", "show", lost, "--keys", server.keys).expect(OK).out)
        assert shown["uid"] == "ada" and shown["signature"] == "good", shown
        server.control("session", "revoke", "--token", shown["id"]).expect(OK)
        assert "Unauthenticated" in server.as_(lost, "who").expect(UNREACHABLE).err
        server.as_(kept, "who").expect(OK)


def test_an_operator_ends_sessions_and_they_may_come_again():
    with Identified() as server:
        token = server.token("ada")
        listener, lines = server.listen(token, "phone")
        assert server.control("session", "kick", "--client", "tablet").expect(OK).out.strip() == "0 ended"
        assert server.control("session", "kick", "--client", "phone").expect(OK).out.strip() == "1 ended"
        lines.wait_for("Forbidden")
        assert listener.wait(5) != 0
        server.as_(token, "who", "--client-id", "phone").expect(OK)
        assert server.control("session", "kick").code == USAGE


def test_with_proof_a_newcomer_takes_the_place_of_its_name_and_without_it_is_refused():
    with Identified(arguments=["--set", "server.workers=2"]) as server:
        ada, eve = server.token("ada"), server.token("eve")
        last, lines = server.listen(ada, "device")
        for _ in range(12):
            assert "IdentityInUse (6004)" in server.as_(eve, "who", "--client-id", "device").expect(UNREACHABLE).err
            newer, newer_lines = server.listen(ada, "device")
            lines.wait_for("Superseded")
            assert last.wait(5) != 0
            last, lines = newer, newer_lines
        assert server.metric("godwit_sessions") == 1
        assert server.metric("godwit_sessions_superseded_total") == 12
        harness.wait_until(lambda: server.metric("godwit_connections") == 1)
        last.send_signal(signal.SIGINT)
        last.wait(5)


def test_where_clients_are_who_they_say_they_are_a_name_that_is_taken_stays_taken():
    with Server({"app": APP}) as server:
        listener = start("listen", server.address, "--ca", server.certificate, "--client-id", "device")
        harness.Lines(listener.stderr).wait_for("listening as")
        refused = server.request("who", "--client-id", "device").expect(UNREACHABLE)
        assert "IdentityInUse (6004)" in refused.err, refused.err
        assert listener.poll() is None
        listener.send_signal(signal.SIGINT)
        listener.wait(5)
        server.request("who", "--client-id", "device").expect(OK)


if __name__ == "__main__":
    harness.main(globals())
