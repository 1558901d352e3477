"""Everything that keeps a configuration from being honoured, with line, key and a sentence."""

from typing import get_args

import pytest

from restante.config.findings import dotted, nearest, undotted
from restante.config.loading import parse
from restante.server.options import Mechanism
from unit.config.written import FILE, LISTENER, RIGHT, findings

KNOWN = ", ".join(f'"{name}"' for name in get_args(Mechanism))
CERTIFICATE = '[tls]\ncertificate = "/c.pem"\nprivate_key = "/k.pem"\n'


def with_settings(text: str) -> str:
    """Return a text that begins with `text`, and is right otherwise."""
    return text + '\n[[listener]]\naddress = "127.0.0.9:9"\n' + CERTIFICATE


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        # Keys nobody knows.
        ("worker = 2", '1: worker: there is no such setting (did you mean "workers"?)'),
        ("WORKERS = 2", '1: WORKERS: there is no such setting (did you mean "workers"?)'),
        ("zzz = 2", "1: zzz: there is no such setting"),
        (
            'cleartext = "tls"',
            '1: cleartext: there is no such setting (did you mean "auth.cleartext"?)',
        ),
        ("[limit]\n", '1: limit: there is no such setting (did you mean "limits"?)'),
        (
            "[limits]\nconnection = 1",
            '2: limits.connection: there is no such setting (did you mean "connections"?)',
        ),
        ('"a b" = 1', "1: 'a b': there is no such setting"),
        # Wrong types.
        ("hostname = 3", "1: hostname: must be a string, not a whole number"),
        ('workers = "2"', "1: workers: must be a whole number, not a string"),
        ("workers = true", "1: workers: must be a whole number, not true"),
        ("workers = 2.5", "1: workers: must be a whole number, not a number with a fraction"),
        ("workers = 2024-01-01", "1: workers: must be a whole number, not a date or time"),
        ("state_directory = []", "1: state_directory: must be a path, not a list"),
        ('state_directory = ""', "1: state_directory: must not be empty"),
        ('hostname = "a\\nb"', "1: hostname: must not hold control characters"),
        ("limits = 3", "1: limits: is written as [limits], not as a whole number"),
        ("[[limits]]", "1: limits: is written as [limits], not as a list"),
        ("[auth.source]", "1: auth.source: is written as [[auth.source]], not as a table"),
        ("[auth]\nsource = [1]", "2: auth.source: is written as [[auth.source]], not as a list"),
        (
            "[limits]\ndrain_seconds = nan",
            "2: limits.drain_seconds: must be a finite number",
        ),
        (
            f"[limits]\nconnections = {10**30}",
            "2: limits.connections: is larger than any number that is useful here",
        ),
        # Out of range.
        ("workers = 0", "1: workers: is 1 to 32"),
        ("workers = 33", "1: workers: is 1 to 32"),
        ("[limits]\nconnections = 0", "2: limits.connections: is at least 1"),
        (
            "[limits]\n\nautologout_seconds = 60",
            "3: limits.autologout_seconds: is at least 600 (RFC 1939 §3)",
        ),
        ("[limits]\ndrain_seconds = -1", "2: limits.drain_seconds: is 0 or more"),
        ("[auth.hashing]\npasses = 0", "2: auth.hashing.passes: is at least 1"),
        (
            "[auth.hashing]\nmemory_kib = 4",
            "2: auth.hashing.memory_kib: is 8 for each lane at least, 4194304 at most",
        ),
        (
            "[auth.throttle]\nlongest_delay_seconds = 1",
            "2: auth.throttle.longest_delay_seconds: is not below first_delay_seconds",
        ),
        (
            '[auth.throttle]\ngateways = ["10.0.0.0/8", "everybody"]',
            "2: auth.throttle.gateways: 'everybody' is no network, as 10.0.0.0/8 is",
        ),
        ("[auth.cache]\nseconds = -1", "2: auth.cache.seconds: is not negative"),
        ("[mail]\ncache_octets = -1", "2: mail.cache_octets: is not negative"),
        # What this version cannot honour.
        (
            '[auth]\nmechanisms = ["PLAIN", "DIGEST-MD5"]',
            f'2: auth.mechanisms: "DIGEST-MD5" is not supported by this version; it knows {KNOWN}',
        ),
        (
            '[auth]\nmechanisms = ["plain"]',
            '2: auth.mechanisms: "plain" is not supported by this version; it knows'
            f' {KNOWN} (did you mean "PLAIN"?)',
        ),
        (
            '[auth]\nmechanisms = ["USER", "USER"]',
            '2: auth.mechanisms: names "USER" twice',
        ),
        (
            '[mail]\nstore = "mbox"',
            '2: mail.store: "mbox" is not supported by this version; it knows "maildir", "memory"',
        ),
        (
            '[[auth.source]]\ntype = "ldap"',
            '2: auth.source[0].type: "ldap" is not supported by this version; it knows'
            ' "accounts", "passwd-file", "sql", "command", "certificate", "oauth2"',
        ),
        (
            '[[auth.source]]\ntype = "sql"\n[auth.source.sql]\npath = "/db"\n'
            'query = "SELECT :user"',
            "5: auth.source[0].sql.query: knows :name, :local and :domain, not :user",
        ),
        (
            '[[auth.source]]\ntype = "sql"\n[auth.source.sql]\nquery = "SELECT :name"',
            "3: auth.source[0].sql.path: either it or url has to be set",
        ),
        (
            '[[auth.source]]\ntype = "sql"\n[auth.source.sql]\nquery = "SELECT :name"\n'
            'url = "postgresql://pop:secret@db/mail"',
            "5: auth.source[0].sql.url: takes no password; put it into a file, and name it by"
            " password_file",
        ),
        (
            '[[auth.source]]\ntype = "command"',
            '2: auth.source[0].type: "command" and a table [auth.source.command] belong together',
        ),
        (
            '[[auth.source]]\ntype = "command"\n[auth.source.command]\nmaildir = "Maildir"',
            "3: auth.source[0].command.program: is missing",
        ),
        (
            "[[auth.source]]\n[auth.source.asking]\nqueue = 9",
            '1: auth.source[0].type: "accounts" asks nobody, and takes no [auth.source.asking]',
        ),
        (
            '[[auth.source]]\ntype = "command"\n[auth.source.command]\nprogram = "/bin/c"\n'
            "[auth.source.asking]\nat_once = 0",
            "6: auth.source[0].asking.at_once: is at least 1",
        ),
        (
            '[[auth.source]]\ntype = "oauth2"',
            '2: auth.source[0].type: "oauth2" and a table [auth.source.oauth2] belong together',
        ),
        (
            '[[auth.source]]\n[auth.source.oauth2]\nkeys_file = "k"\nissuer = "i"\n'
            'audience = ["a"]',
            '1: auth.source[0].type: "oauth2" and a table [auth.source.oauth2] belong together',
        ),
        (
            '[[auth.source]]\ntype = "oauth2"\n[auth.source.oauth2]\nkeys_url = "http://x/"\n'
            'issuer = "i"\naudience = ["a"]',
            "4: auth.source[0].oauth2.keys_url: has to begin with https://, or with http:// and an"
            " address of this machine",
        ),
        (
            '[[auth.source]]\ntype = "oauth2"\n[auth.source.oauth2]\nkeys_file = "k"\n'
            'issuer = "i"\naudience = ["a"]\nalgorithms = ["HS256"]',
            '7: auth.source[0].oauth2.algorithms: "HS256" is not supported by this version; it'
            ' knows "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"'
            ' (did you mean "RS256"?)',
        ),
        (
            '[[listener]]\naddress = "127.0.0.1:1"\nproxy_protocol = ["10.0.0.0/8", "10.0.0.1/8"]',
            '3: listener[0].proxy_protocol: "10.0.0.1/8" is an address within the network'
            " 10.0.0.0/8: name one of them",
        ),
        (
            '[[listener]]\naddress = "127.0.0.1:1"\nproxy_protocol = ["proxy.example.org"]',
            '3: listener[0].proxy_protocol: "proxy.example.org" is no address and no network',
        ),
        (
            '[[listener]]\naddress = "127.0.0.1:1"\nproxy_protocol = true',
            "3: listener[0].proxy_protocol: must be a list, not true",
        ),
        (
            "[limits]\nproxy_header_seconds = 2",
            "2: limits.proxy_header_seconds: is at least 3",
        ),
        (
            '[[listener]]\naddress = "127.0.0.1:1"\ntls = "starttls"',
            '3: listener[0].tls: "starttls" is not supported by this version; it knows'
            ' "implicit", "stls", "none" (did you mean "stls"?)',
        ),
        # Addresses.
        ("[[listener]]", "1: listener[0].address: is missing"),
        (
            '[[listener]]\naddress = "0.0.0.0"',
            "2: listener[0].address: is host:port, IPv6 in brackets",
        ),
        (
            '[[listener]]\naddress = "::1:110"',
            "2: listener[0].address: is host:port, IPv6 in brackets",
        ),
        (
            '[[listener]]\naddress = "127.0.0.1:65536"',
            "2: listener[0].address: is host:port, IPv6 in brackets",
        ),
        (
            '[[listener]]\naddress = "127.0.0.1:１１０"',
            "2: listener[0].address: is host:port, IPv6 in brackets",
        ),
        (
            '[[listener]]\naddress = ":110"',
            "2: listener[0].address: is host:port, IPv6 in brackets",
        ),
        (
            '[[listener]]\naddress = "systemd:"',
            "2: listener[0].address: systemd:NAME needs the name of a socket",
        ),
        # Sources and mail.
        (
            '[[auth.source]]\ntype = "passwd-file"',
            "1: auth.source[0].path: a passwd-file source needs one",
        ),
        (
            '[[auth.source]]\ntype = "accounts"\npath = "/x"',
            "3: auth.source[0].path: the accounts source takes none, it lives in state_directory",
        ),
        ("[auth]\nsource = []", "2: auth.source: without a source of accounts nobody can log in"),
        (
            '[mail]\npath = "/var/mail"',
            "2: mail.path: needs {name} or {local}, or all accounts would share one mailbox",
        ),
        (
            '[mail]\npath = "/var/mail/{domain}"',
            "2: mail.path: needs {name} or {local}, or all accounts would share one mailbox",
        ),
        (
            '[mail]\npath = "/var/mail/{user}"',
            "2: mail.path: knows {name}, {local} and {domain}, not {user}",
        ),
        ('[mail]\npath = "/var/mail/{name"', "2: mail.path: has a brace without its other half"),
        (
            '[mail]\npath = "/var/mail/{name!r}"',
            "2: mail.path: takes {name}, {local} and {domain} as they are, without a format",
        ),
        (
            '[auth]\nmechanisms = ["PLAIN", "EXTERNAL"]',
            '2: auth.mechanisms: "EXTERNAL" needs tls.client_authorities, whose certificates it is'
            " about",
        ),
        # TLS.
        (
            "[[tls.additional]]\nnames = []\ncertificate = '/c'\nprivate_key = '/k'",
            "2: tls.additional[0].names: at least one host name chooses this certificate",
        ),
        (
            "[[tls.additional]]\nnames = ['a']\ncertificate = '/c'",
            "1: tls.additional[0].private_key: is missing",
        ),
    ],
)
def test_a_finding_is_one_line(text: str, finding: str) -> None:
    text = with_settings(text) if "[tls" not in text else text + "\n" + LISTENER
    assert findings(text) == [finding]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["there is no [[listener]], so nobody could connect"]),
        (
            '[[listener]]\naddress = "127.0.0.1:1"\n[[listener]]\naddress = "127.0.0.1:2"\n'
            'tls = "implicit"\n',
            [
                '1: listener[0].tls: "stls" needs tls.certificate and tls.private_key',
                '5: listener[1].tls: "implicit" needs tls.certificate and tls.private_key',
            ],
        ),
        (
            LISTENER + '[tls]\ncertificate = "/c.pem"\n',
            ["7: tls.certificate: certificate and private_key go together"],
        ),
        (
            '[[listener]]\naddress = "127.0.0.1:1"\ntls = "none"\n',
            ['auth.cleartext: "tls" refuses passwords on every listener there is: none has TLS'],
        ),
        (
            '[[listener]]\naddress = "192.0.2.1:1"\ntls = "none"\n[auth]\ncleartext = "loopback"\n',
            [
                '5: auth.cleartext: "loopback" refuses passwords on every listener there is:'
                " none has TLS"
            ],
        ),
        (
            LISTENER + "mechanisms = []\n",
            ["6: auth.mechanisms: without a mechanism nobody can log in"],
        ),
        (
            "workers = 2\n" + LISTENER + '[mail]\nstore = "memory"\n',
            ['1: workers: has to be 1 with mail.store = "memory": workers share no memory'],
        ),
    ],
)
def test_what_cannot_stand_together(text: str, expected: list[str]) -> None:
    """conformance: 1939-S-35."""
    assert findings(text) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("127.0.0.1:110", "127.0.0.1:110"),
        ("0.0.0.0:110", "127.0.0.1:110"),
        ("127.0.0.1:110", "0.0.0.0:110"),
        ("[::]:110", "[::1]:110"),
        ("[0:0::1]:110", "[::1]:110"),
        ("systemd:pop3", "systemd:pop3"),
    ],
)
def test_listeners_do_not_get_in_each_others_way(one: str, other: str) -> None:
    text = LISTENER + f'[[listener]]\naddress = "{one}"\ntls = "none"\n'
    text = text.replace("127.0.0.1:110", "127.0.0.9:9", 1)
    text += f'[[listener]]\naddress = "{other}"\ntls = "none"\n'
    assert findings(text) == [
        f"10: listener[2].address: {other} is taken by the listener on {one}",
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("127.0.0.1:0", "127.0.0.1:0"),
        ("127.0.0.1:110", "127.0.0.1:995"),
        ("127.0.0.1:110", "127.0.0.2:110"),
        ("0.0.0.0:110", "[::]:110"),
        ("systemd:pop3", "systemd:pop3s"),
        ("localhost:110", "[::1]:110"),
    ],
)
def test_listeners_that_can_stand_together(one: str, other: str) -> None:
    text = LISTENER.replace("127.0.0.1:110", one)
    text += f'[[listener]]\naddress = "{other}"\ntls = "none"\n'
    assert len(parse(text, FILE).server.listeners) == 2


def test_everything_is_found_at_once() -> None:
    text = (
        RIGHT.replace("workers = 2", "workers = 0")
        .replace('"implicit"', '"explicit"')
        .replace("cleartext =", "clear_text =")
        .replace("connections = 50", "connections = 0")
        .replace("autologout_seconds = 600", "autologout_seconds = 1")
        .replace("{local}", "local")
    )
    assert [finding.split(": ")[:2] for finding in findings(text)] == [
        ["3", "workers"],
        ["10", "listener[1].tls"],
        ["23", "auth.clear_text"],
        ["61", "mail.path"],
        ["64", "limits.connections"],
        ["65", "limits.autologout_seconds"],
    ]


def test_a_refused_value_breaks_no_other_rule() -> None:
    """The certificate was refused for what it is, so its key does not stand alone."""
    text = LISTENER + '[tls]\ncertificate = 3\nprivate_key = "/k.pem"\n'
    assert findings(text) == ["7: tls.certificate: must be a path, not a whole number"]


def test_a_value_is_shown_without_what_could_steer_a_terminal() -> None:
    [finding] = findings(with_settings('[mail]\nstore = "\\u001b[31m\\u202e' + "x" * 80 + '"'))
    assert '"\\x1b[31m\\u202exxx' in finding
    assert finding.isprintable()
    assert len(finding) < 200


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("auth", "source", 0, "type"), "auth.source[0].type"),
        (("listener", 12), "listener[12]"),
        (("workers",), "workers"),
    ],
)
def test_paths_have_one_form(path: tuple[str | int, ...], text: str) -> None:
    assert dotted(path) == text
    assert undotted(text) == path


def test_the_nearest_word_is_near() -> None:
    assert nearest("conections", ["connections", "cleartext"]) == "connections"
    assert nearest("Drain-Seconds", ["drain_seconds"]) == "drain_seconds"
    assert nearest("xyz", ["connections"]) is None
