"""The TLS engine: a handshake in any pieces, octets both ways, and its end."""

import hashlib
import ssl
from collections.abc import Iterator
from dataclasses import replace

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from restante.server.certificates import Certificates, Context
from restante.server.options import TlsOptions
from restante.server.tls import TlsEngine, TlsFailed
from unit.server.tls_client import TlsClient

NEWEST = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


class Ends:
    """An engine, and a client that talks to it in pieces of a size."""

    def __init__(
        self,
        certificates: Certificates,
        authority: trustme.CA,
        *,
        size: int = 1 << 20,
        newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        protocols: tuple[str, ...] = (),
        certificate: trustme.LeafCert | None = None,
        options: int = 0,
    ) -> None:
        self.engine = TlsEngine(certificates)
        self.received: list[bytes] = []
        self._size = size
        self.client = TlsClient(
            authority,
            self.exchange,
            newest=newest,
            protocols=protocols,
            certificate=certificate,
            options=options,
        )

    def exchange(self, ciphertext: bytes) -> bytes:
        for start in range(0, len(ciphertext), self._size):
            self.received += self.engine.receive(ciphertext[start : start + self._size])
        return self.engine.data_to_send()


@pytest.mark.parametrize("newest", NEWEST)
@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_octets_arrive_both_ways(
    certificates: Certificates, authority: trustme.CA, newest: ssl.TLSVersion, size: int
) -> None:
    ends = Ends(certificates, authority, size=size, newest=newest)
    assert not ends.engine.handshake_complete
    ends.client.handshake()
    assert ends.engine.handshake_complete
    assert ends.engine.description.startswith(newest.name.replace("_", ".") + "/")
    ends.client.say(b"USER alice\r\n" * 3000)
    assert b"".join(ends.received) == b"USER alice\r\n" * 3000
    large = bytearray(b"x" * 200_000)
    sent: list[bytes] = []
    for buffer in (b"+OK\r\n", large, memoryview(large)[:5], b""):
        sent += ends.engine.encrypt(buffer)
    assert max(map(len, sent)) < 17_000
    assert ends.client.take(b"".join(sent)) == b"+OK\r\n" + large + b"xxxxx"
    assert ends.engine.data_to_send() == b""


def test_octets_behind_the_handshake_in_one_segment_are_not_lost(
    certificates: Certificates, authority: trustme.CA
) -> None:
    held: list[bytes] = []
    ends = Ends(certificates, authority)
    client = TlsClient(authority, lambda data: held.append(data) or b"")  # type: ignore[func-returns-value]
    for _ in range(2):
        with pytest.raises(ssl.SSLWantReadError):
            client.object.do_handshake()
        client.turn()
        engine_says = ends.exchange(b"".join(held))
        held.clear()
        if engine_says:
            break
    client._incoming.write(engine_says)
    client.object.do_handshake()
    client.object.write(b"CAPA\r\n")
    client.turn()
    assert ends.engine.receive(b"".join(held)) == [b"CAPA\r\n"]


@pytest.mark.parametrize("newest", NEWEST)
def test_another_protocol_is_refused(
    certificates: Certificates, authority: trustme.CA, newest: ssl.TLSVersion
) -> None:
    """conformance: 9325-S-07."""
    ends = Ends(certificates, authority, protocols=("http/1.1",), newest=newest)
    with pytest.raises(TlsFailed, match="no_application_protocol"):
        ends.client.handshake()
    alert = ends.engine.data_to_send()
    # The client's own library reads the alert for what it is.
    ends.client._incoming.write(alert)
    with pytest.raises(ssl.SSLError, match=r"(?i)no.application.protocol"):
        ends.client.object.do_handshake()


def test_our_protocol_is_chosen(certificates: Certificates, authority: trustme.CA) -> None:
    ends = Ends(certificates, authority, protocols=("http/1.1", "pop3"))
    ends.client.handshake()
    assert ends.client.object.selected_alpn_protocol() == "pop3"


def test_a_name_is_asked_for(certificates: Certificates, authority: trustme.CA) -> None:
    asked: list[str | None] = []

    class Asked(Certificates):
        def __init__(self) -> None:
            self.default = certificates.default

        def choose(self, name: str | None) -> Context:
            asked.append(name)
            return self.default

    ends = Ends(Asked(), authority)
    ends.client.handshake()
    assert asked == ["localhost"]


@pytest.mark.parametrize(
    "octets", [b"USER alice\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x80\x2e\x01\x03\x01" + bytes(60)]
)
def test_what_is_no_tls_is_told_so(certificates: Certificates, octets: bytes) -> None:
    engine = TlsEngine(certificates)
    with pytest.raises(TlsFailed):
        engine.receive(octets)
    assert not engine.data_to_send().startswith((b"+OK", b"-ERR"))


def test_a_hello_without_end_is_given_up(certificates: Certificates) -> None:
    engine = TlsEngine(certificates)
    assert engine.receive(b"\x16\x03\x01\x40\x00\x01\x00\x3f\xff") == []
    assert engine.receive(bytes(16_000)) == []
    with pytest.raises(TlsFailed):
        engine.receive(bytes(1_000))


def test_an_old_client_is_refused(certificates: Certificates, authority: trustme.CA) -> None:
    """conformance: 8314-S-06."""
    hello = bytearray(b"\x03\x01" + bytes(32) + b"\0\0\x02\xc0\x13\x01\0")
    message = b"\x01" + len(hello).to_bytes(3, "big") + hello
    engine = TlsEngine(certificates)
    with pytest.raises(TlsFailed, match="UNSUPPORTED_PROTOCOL"):
        engine.receive(b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message)
    assert engine.data_to_send().startswith(b"\x15")


@pytest.mark.parametrize("newest", NEWEST)
def test_the_end_is_said_by_both(
    certificates: Certificates, authority: trustme.CA, newest: ssl.TLSVersion
) -> None:
    """conformance: 8314-S-03."""
    ends = Ends(certificates, authority, newest=newest)
    ends.client.handshake()
    ends.client.read()
    ends.client.finish()
    assert ends.engine.peer_closed
    ends.engine.encrypt(b"+OK goodbye\r\n")
    ends.engine.close()
    assert ends.engine.data_to_send()


def test_the_end_without_a_handshake_says_nothing(certificates: Certificates) -> None:
    engine = TlsEngine(certificates)
    engine.close()
    engine.receive(b"\x16")
    engine.close()
    assert engine.data_to_send() == b""


def test_a_record_that_was_changed_is_the_end(
    certificates: Certificates, authority: trustme.CA
) -> None:
    ends = Ends(certificates, authority)
    ends.client.handshake()
    with pytest.raises(TlsFailed):
        ends.engine.receive(b"\x17\x03\x03\x00\x20" + bytes(32))


@pytest.fixture(scope="module")
def exporting(tls_options: TlsOptions) -> Iterator[Certificates]:
    """Contexts that log their keys."""
    certificates = Certificates(tls_options)
    certificates.log_keys()
    yield certificates
    assert certificates.default.exporter is not None
    certificates.default.exporter.close()


def test_without_an_exporter_nothing_is_bound_under_tls_1_3(
    certificates: Certificates, authority: trustme.CA
) -> None:
    """RFC 9266 §3. conformance: 9266-S-02"""
    ends = Ends(certificates, authority)
    ends.client.handshake()
    assert not ends.engine.bindable
    assert ends.engine.bindings() == {}


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_every_connection_is_bound_to_itself(
    exporting: Certificates, authority: trustme.CA, size: int
) -> None:
    """conformance: 9266-S-01, 9266-S-03"""
    first, second = (Ends(exporting, authority, size=size) for _ in range(2))
    first.client.handshake()
    second.client.handshake()
    found = [ends.engine.bindings()["tls-exporter"] for ends in (first, second)]
    assert [len(binding) for binding in found] == [32, 32]
    assert found[0] != found[1]


NO_EXTENDED_MASTER_SECRET = 1
"""OpenSSL's SSL_OP_NO_EXTENDED_MASTER_SECRET, which Python's ssl has no name for."""


@pytest.mark.parametrize(
    ("newest", "options", "bound"),
    [
        (ssl.TLSVersion.TLSv1_3, 0, True),
        (ssl.TLSVersion.TLSv1_2, 0, True),
        (ssl.TLSVersion.TLSv1_2, NO_EXTENDED_MASTER_SECRET, False),
        (ssl.TLSVersion.TLSv1_3, NO_EXTENDED_MASTER_SECRET, True),
    ],
)
def test_a_login_can_be_bound_where_the_secret_is_of_one_connection(
    exporting: Certificates,
    authority: trustme.CA,
    newest: ssl.TLSVersion,
    options: int,
    bound: bool,
) -> None:
    """conformance: 7677-S-01, 5929-S-01, 5929-S-02, 9266-S-02"""
    ends = Ends(exporting, authority, newest=newest, options=options)
    ends.client.handshake()
    shown = ends.client.object.getpeercert(binary_form=True)
    assert shown is not None
    bindings = ends.engine.bindings()
    assert ends.engine.bindable == bool(bindings) == bound
    if bound:
        assert bindings["tls-server-end-point"] == hashlib.sha256(shown).digest()
    unique = ends.client.object.get_channel_binding("tls-unique")
    assert bindings.get("tls-unique") == (unique if bound and newest in NEWEST[:1] else None)
    assert ("tls-exporter" in bindings) == (newest is ssl.TLSVersion.TLSv1_3)


@pytest.fixture(scope="module")
def asking(
    tls_options: TlsOptions, authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory
) -> Certificates:
    """Contexts that ask for certificates of this authority."""
    authorities = tmp_path_factory.mktemp("authorities") / "ca.pem"
    authority.cert_pem.write_to_path(str(authorities))
    return Certificates(replace(tls_options, client_authorities=authorities))


@pytest.mark.parametrize("newest", NEWEST)
def test_a_client_may_show_a_certificate(
    asking: Certificates, authority: trustme.CA, newest: ssl.TLSVersion
) -> None:
    """conformance: 8314-S-08, 2595-S-15"""
    leaf = authority.issue_cert("alice@example.org")
    ends = Ends(asking, authority, newest=newest, certificate=leaf)
    ends.client.handshake()
    shown = x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())
    assert ends.engine.client_certificate == shown.public_bytes(serialization.Encoding.DER)


def test_a_client_without_a_certificate_is_served_as_well(
    asking: Certificates, certificates: Certificates, authority: trustme.CA
) -> None:
    """And none is asked for where nobody would look at it. conformance: 8314-S-08"""
    for contexts in (asking, certificates):
        ends = Ends(contexts, authority)
        ends.client.handshake()
        assert ends.engine.client_certificate is None
    ends = Ends(certificates, authority, certificate=authority.issue_cert("alice@example.org"))
    ends.client.handshake()
    assert ends.engine.client_certificate is None


def test_a_certificate_of_somebody_elses_authority_ends_the_handshake(
    asking: Certificates, authority: trustme.CA
) -> None:
    """conformance: 8314-S-08"""
    leaf = trustme.CA().issue_cert("alice@example.org")
    ends = Ends(asking, authority, newest=ssl.TLSVersion.TLSv1_2, certificate=leaf)
    with pytest.raises(TlsFailed):
        ends.client.handshake()
