"""The client's end of a TLS stream between two memories."""

import ssl
from collections.abc import Callable

import trustme


class TlsClient:
    """A client that hands its ciphertext to a function and gets the answer back from it."""

    def __init__(
        self,
        authority: trustme.CA,
        exchange: Callable[[bytes], bytes],
        *,
        name: str = "localhost",
        protocols: tuple[str, ...] = (),
        newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED,
        certificate: trustme.LeafCert | None = None,
        options: int = 0,
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.maximum_version = newest
        authority.configure_trust(context)
        context.options |= options
        if certificate is not None:
            certificate.configure_cert(context)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        self._exchange = exchange
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)

    def handshake(self) -> None:
        """Finish the handshake."""
        for _ in range(10):
            try:
                self.object.do_handshake()
            except ssl.SSLWantReadError:
                self.turn()
            else:
                self.turn()
                return
        raise AssertionError("the handshake does not end")

    def turn(self) -> None:
        """Send what waits, and take in what comes back."""
        self._incoming.write(self._exchange(self._outgoing.read()))

    def take(self, ciphertext: bytes) -> bytes:
        """Decrypt what came by itself."""
        self._incoming.write(ciphertext)
        return self.read()

    def say(self, data: bytes) -> bytes:
        """Send octets and return the answer."""
        self.object.write(data)
        self.turn()
        return self.read()

    def finish(self) -> None:
        """Say that no more will be sent."""
        try:
            self.object.unwrap()
        except (ssl.SSLWantReadError, ssl.SSLSyscallError):
            self.turn()

    def read(self) -> bytes:
        """Return what has been decrypted."""
        data = b""
        try:
            while piece := self.object.read(65_536):
                data += piece
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        return data


def common_name(client: TlsClient) -> str:
    """Return the name that the server's certificate is for."""
    certificate = client.object.getpeercert()
    assert certificate is not None
    names = certificate["subjectAltName"]
    assert isinstance(names, tuple)
    return str(names[0][1])
