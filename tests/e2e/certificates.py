#!/usr/bin/env python3
"""Client certificates: offered, required, absent, untrusted, and not even a pair.

The self-signed certificates of development servers serve as the clients': each is its own authority.
"""

import harness
from harness import OK, UNREACHABLE, USAGE, Server, run

WHO = 'local gw = require "godwit"\ngw.handle("who", function(msg, session) msg:reply(session.client_id .. "/" .. session.uid) end)\n'


def identity(of):
    return ["--cert", of.certificate, "--key", of.certificate.with_name("dev-key.pem")]


def server_that(client_auth, trusted):
    return Server({"app": WHO + harness.ECHO}, arguments=["--set", f'tls.client_auth="{client_auth}"', "--set",
                                                          f'tls.client_ca="{trusted.certificate}"'])


def expect_turned_away(server, *arguments):
    refused = server.request("who", *arguments, "--timeout", "10s").expect(UNREACHABLE)
    assert refused.seconds < 5, "it was waited for, not told"
    assert "Unauthenticated (6001)" in refused.err and "certificate" in refused.err, refused.err


def test_where_a_certificate_is_required_only_a_trusted_one_comes_in():
    with Server() as alice, Server() as mallory, server_that("require", alice) as server:
        assert server.request("who", "--client-id", "me", *identity(alice)).expect(OK).out == "me/localhost"
        expect_turned_away(server)
        expect_turned_away(server, *identity(mallory))
        server.bench("--count", "20", *identity(alice)).expect(OK)
        server.send("echo", *identity(alice)).expect(OK)
        assert server.metric("godwit_sessions") == 0


def test_where_a_certificate_is_asked_for_none_is_fine_and_an_untrusted_one_is_not():
    with Server() as alice, Server() as mallory, server_that("request", alice) as server:
        assert server.request("who", "--client-id", "me").expect(OK).out == "me/me"
        assert server.request("who", "--client-id", "me", "--uid", "bob").expect(OK).out == "me/bob"
        # What was proved is worth more than what is said.
        named = server.request("who", "--client-id", "me", "--uid", "bob", *identity(alice)).expect(OK)
        assert named.out == "me/localhost"
        expect_turned_away(server, *identity(mallory))


def test_where_no_certificate_is_asked_for_one_does_no_harm_and_proves_nothing():
    with Server() as alice, Server({"app": WHO}) as server:
        assert server.request("who", "--client-id", "me", *identity(alice)).expect(OK).out == "me/me"


def test_a_certificate_and_a_key_come_together_exist_and_belong_to_each_other():
    with Server() as alice, Server() as bob:
        certificate, key = identity(alice)[1], identity(alice)[3]
        for half in [["--cert", certificate], ["--key", key]]:
            assert "UsageInvalid (8002)" in alice.request("echo", *half).expect(USAGE).err
        for missing in [["--cert", "/nonexistent", "--key", key], ["--cert", certificate, "--key", "/nonexistent"]]:
            assert "/nonexistent" in alice.request("echo", *missing).expect(USAGE).err
        mixed = alice.request("echo", "--cert", certificate, "--key", identity(bob)[3]).expect(USAGE)
        assert "CertificateInvalid (8004)" in mixed.err, mixed.err


def test_a_server_that_asks_for_certificates_needs_to_know_whose_to_trust():
    failed = run("check", "--set", 'tls.client_auth="require"', "--set", "scripts.paths=[]").expect(USAGE)
    assert "tls.client_ca" in failed.err, failed.err


if __name__ == "__main__":
    harness.main(globals())
