"""Handshakes the suite begins by hand: they name the host, as those of any client do."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from restante.examine.accounts import NO_ACCOUNTS
from restante.examine.case import Case, Level
from restante.examine.handshakes import flight_for, name_of
from restante.examine.hello import Hello
from restante.examine.record import Record
from restante.examine.stage import Stage
from restante.examine.target import Endpoint, Target, Tls
from unit.examine.behaving import listening

CASE = Case(id="9325-S-07", title="", source="", level=Level.MUST, steps=())


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("pop.example.org", "pop.example.org"),
        ("pop.example.org.", "pop.example.org"),
        ("192.0.2.1", ""),
        ("2001:db8::1", ""),
        ("fe80::1%eth0", ""),
    ],
)
def test_a_host_is_named_and_an_address_is_not(host: str, name: str) -> None:
    assert name_of(host) == name


@pytest.mark.parametrize("other", ["", "nowhere.invalid"])
def test_a_hello_names_the_host_unless_it_is_for_another(other: str) -> None:
    heard: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        heard.append(connection.recv(65536))

    with listening(behave) as port:
        endpoint = Endpoint("localhost", port, Tls.IMPLICIT, cleartext=True)
        target = Target((endpoint,), NO_ACCOUNTS, 5.0)
        stage = Stage(CASE, target, endpoint, Record())
        flight_for(stage, replace(Hello(), server_name=other))
        stage.close()
    [hello] = heard
    assert (other or "localhost").encode() in hello
