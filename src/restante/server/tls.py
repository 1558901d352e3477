"""TlsEngine: TLS between two memories, for implicit TLS and STLS alike.

Nothing here touches a socket: ciphertext in, octets out, and back. It stands in for the event
loop's own TLS transports because those hold up to 278 KiB for an idle connection, and because
what was said in clear cannot get into a stream that did not exist while it was said.
"""

import ssl
from typing import Final, cast

from restante.errors import RestanteError
from restante.server import client_hello
from restante.server.certificates import ALPN, Certificates, Context
from restante.server.exporter import channel_binding

READ_OCTETS: Final = 65_536
_RECORD = 16_384
_NO_APPLICATION_PROTOCOL: Final = b"\x15\x03\x03\x00\x02\x02\x78"
"""A record with the fatal alert 120 (RFC 7301 §3.2)."""


class TlsFailed(RestanteError):
    """A handshake or a stream that cannot go on; the text is for the log."""


class TlsEngine:
    """The server's end of one TLS stream."""

    __slots__ = (
        "_alert",
        "_certificates",
        "_extended",
        "_first",
        "_hello",
        "_incoming",
        "_object",
        "_outgoing",
        "_random",
        "_secret",
        "handshake_complete",
        "peer_closed",
    )

    def __init__(self, certificates: Certificates) -> None:
        self._certificates: Certificates | None = certificates
        self._first: bytearray | None = bytearray()
        self._hello: client_hello.Reading | None = client_hello.Reading()
        self._alert = b""
        self._extended = False
        self._random = b""
        """Of the ClientHello, until the exporter's secret has been found by it."""
        self._secret: bytes | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object: ssl.SSLObject | None = None
        self.handshake_complete = False
        self.peer_closed = False

    @property
    def description(self) -> str:
        """Version and cipher of a complete handshake."""
        assert self._object is not None
        cipher = self._object.cipher()
        assert cipher is not None
        return f"{self._object.version()}/{cipher[0]}"

    @property
    def bindable(self) -> bool:
        """Whether a login can be bound to this connection, by what the RFCs demand for it.

        RFC 7677 §4: under TLS 1.2 only where it has an extended master secret. RFC 9266 §3: under
        TLS 1.3 only where there is `tls-exporter`.
        """
        assert self._object is not None
        if self._object.version() == "TLSv1.3":
            return self._secret is not None
        return self._extended

    def bindings(self) -> dict[str, bytes]:
        """Return what a login can be bound to, by type (RFC 5929, RFC 9266); empty: nothing."""
        assert self._object is not None
        if not self.bindable:
            return {}
        found = {}
        if self._secret is not None:
            found["tls-exporter"] = channel_binding(self._secret)
        elif (unique := self._object.get_channel_binding("tls-unique")) is not None:
            found["tls-unique"] = unique
        if end_point := cast(Context, self._object.context).server_end_point:
            found["tls-server-end-point"] = end_point
        return found

    @property
    def names(self) -> frozenset[str]:
        """Host names in the certificate that the client has seen."""
        assert self._object is not None
        return cast(Context, self._object.context).names

    @property
    def client_certificate(self) -> bytes | None:
        """The certificate that the client has shown, in DER, verified; None: it has shown none."""
        assert self._object is not None
        return self._object.getpeercert(binary_form=True)

    def receive(self, data: bytes) -> list[bytes]:
        """Take in ciphertext and return what it says.

        Raises:
            TlsFailed: the stream is at its end; send what `data_to_send` has, then close.
        """
        if self._first is not None:
            data = self._begin(data)
        if self._object is None:
            return []
        self._incoming.write(data)
        try:
            if not self.handshake_complete:
                self._shake_hands(self._object)
                self.handshake_complete = True
            return self._read(self._object)
        except ssl.SSLWantReadError:
            return []
        except ssl.SSLError as error:
            raise TlsFailed(error.reason or type(error).__name__) from error

    def encrypt(self, data: bytes | bytearray | memoryview) -> list[bytes]:
        """Return octets of ours as ciphertext, behind what waits to be sent.

        Record by record: the memory between never holds more than one, and OpenSSL would keep as
        much as it ever held for as long as the stream lasts.

        Raises:
            TlsFailed: the stream is at its end.
        """
        assert self._object is not None
        pieces: list[bytes] = []
        view = memoryview(data)
        try:
            for start in range(0, len(view), _RECORD):
                self._object.write(view[start : start + _RECORD])
                pieces.append(self._outgoing.read())
        except ssl.SSLError as error:
            raise TlsFailed(error.reason or type(error).__name__) from error
        return pieces

    def data_to_send(self) -> bytes:
        """Return the ciphertext that waits."""
        if self._alert:
            alert, self._alert = self._alert, b""
            return alert
        return self._outgoing.read() if self._outgoing.pending else b""

    def close(self) -> None:
        """Say that we end the stream here (RFC 8446 §6.1); the peer's word is not waited for."""
        if self._object is None or not self.handshake_complete:
            return
        try:
            self._object.unwrap()
        except ssl.SSLError:
            # Without the peer's close_notify it wants to read; ours is written by then.
            return

    def _begin(self, data: bytes) -> bytes:
        """Read the ClientHello, and begin the handshake when it is whole."""
        assert self._first is not None
        assert self._hello is not None
        assert self._certificates is not None
        self._first += data
        name = None
        try:
            hello = self._hello.feed(data)
        except client_hello.NotAClientHello:
            # Whatever this is, OpenSSL knows the right alert for it.
            pass
        else:
            if hello is None and len(self._first) <= client_hello.MAXIMUM_OCTETS:
                return b""
            if hello is not None:
                name = hello.server_name
                self._extended, self._random = hello.extended_master_secret, hello.random
                if hello.protocols is not None and ALPN.encode() not in hello.protocols:
                    self._alert = _NO_APPLICATION_PROTOCOL
                    raise TlsFailed("no_application_protocol")
        context = self._certificates.choose(name)
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        data = bytes(self._first)
        self._first = self._hello = self._certificates = None
        return data

    def _shake_hands(self, tls: ssl.SSLObject) -> None:
        exporter = cast(Context, tls.context).exporter
        if exporter is None:
            tls.do_handshake()
            return
        try:
            tls.do_handshake()
        finally:
            if (secret := exporter.take(self._random)) is not None:
                self._secret, self._random = secret, b""

    def _read(self, tls: ssl.SSLObject) -> list[bytes]:
        pieces: list[bytes] = []
        try:
            # Reading when nothing is there costs an exception, more than everything else here.
            while self._incoming.pending or tls.pending():
                # Asking for no more than a record holds keeps what Python allocates for it small.
                piece = tls.read(_RECORD)
                if not piece:
                    self.peer_closed = True
                    break
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.peer_closed = True
        return pieces
