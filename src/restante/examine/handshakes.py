"""Steps that begin TLS in their own way: with a ClientHello by hand, or with a context."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable
from dataclasses import replace

from restante.examine.dialogue import Logic
from restante.examine.hello import Flight, Hello, say_hello
from restante.examine.outcome import NotTried, Unmet
from restante.examine.stage import Stage
from restante.examine.target import Tls


def ready_for_tls(stage: Stage) -> None:
    """Open a connection on which the next octet begins TLS."""
    stage.connect(tls=False)
    if stage.endpoint.tls is Tls.IMPLICIT:
        return
    stage.wire.status()
    if not stage.ask("STLS").positive:
        raise NotTried("STLS is refused")


def greeted_under(
    stage: Stage, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> None:
    """Open a connection and bring it to the first command under TLS, or raise NotTried."""
    ready_for_tls(stage)
    try:
        stage.start_tls(context, session)
    except Unmet as failure:
        raise NotTried(f"the case needs this first: {failure}") from failure
    if stage.endpoint.tls is Tls.IMPLICIT and not stage.wire.status().positive:
        raise NotTried("the server does not greet")


def flight_for(stage: Stage, hello: Hello) -> Flight:
    """Return what the server answers to this ClientHello on a new connection.

    It names the host where nothing else is said, as any client's would: a server may turn away who
    does not, and may show somebody else's certificate.
    """
    ready_for_tls(stage)
    name = hello.server_name or name_of(stage.endpoint.host)
    return say_hello(stage.wire, replace(hello, server_name=name))


def name_of(host: str) -> str:
    """Return what a ClientHello may call a host, nothing for an address (RFC 6066 §3)."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host.removesuffix(".")
    return ""


def refuses_hello(what: str, hello: Hello) -> Logic:
    """Return a step in which the server must not go along."""

    def attempt(stage: Stage) -> None:
        flight = flight_for(stage, hello)
        if flight.accepted:
            raise Unmet(f"{what}: the server accepts suite {flight.suite:#06x}")

    return Logic(attempt)


def judges(hello: Hello, judgement: Callable[[Flight], str]) -> Logic:
    """Return a step whose judgement tells what is wrong with the answer, or nothing."""

    def attempt(stage: Stage) -> None:
        if wrong := judgement(flight_for(stage, hello)):
            raise Unmet(wrong)

    return Logic(attempt)


def is_accepted(flight: Flight) -> str:
    """Tell what is wrong where the server did not go along."""
    return "" if flight.accepted else f"the server answers with alert {flight.alert}"
