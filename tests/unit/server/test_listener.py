"""From an address to a socket that listens, with what its connections inherit."""

import socket

import pytest

from restante.errors import ConfigurationError
from restante.server.listener import bound_address, join_address, listen
from restante.server.options import split_address


@pytest.mark.parametrize("address", ["127.0.0.1:0", "[::1]:0", "localhost:0"])
def test_connections_inherit_what_they_need(address: str) -> None:
    with listen(address, {}) as sock:
        host, port = split_address(bound_address(sock))
        assert not sock.getblocking()
        with socket.create_connection((host, port), timeout=10):
            sock.setblocking(True)
            connection, _ = sock.accept()
            with connection:
                tcp = socket.IPPROTO_TCP
                assert connection.getsockopt(tcp, socket.TCP_NODELAY)
                assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
                assert connection.getsockopt(tcp, socket.TCP_KEEPIDLE) == 120
                assert connection.getsockopt(tcp, socket.TCP_USER_TIMEOUT) == 240_000


def test_each_family_has_a_socket_of_its_own() -> None:
    with listen("[::]:0", {}) as six:
        port = six.getsockname()[1]
        with listen(f"0.0.0.0:{port}", {}) as four:
            assert four.getsockname()[1] == port


def test_an_address_that_is_taken() -> None:
    with listen("127.0.0.1:0", {}) as sock:
        address = bound_address(sock)
        with pytest.raises(ConfigurationError, match=f"listener.address: {address}: Address"):
            listen(address, {})


def test_an_address_that_is_not_ours() -> None:
    with pytest.raises(ConfigurationError, match=r"listener\.address: 192\.0\.2\.1:0: "):
        listen("192.0.2.1:0", {})


def test_a_name_that_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.socket.bind", refuse)
    with pytest.raises(ConfigurationError, match=r"pop\.example\.org:110: Name or service"):
        listen("pop.example.org:110", {})


def test_a_socket_that_was_handed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as handed:
        assert listen("systemd:pop3", {"pop3": handed}) is handed
        assert not handed.getblocking()
        assert handed.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        with pytest.raises(ConfigurationError, match="no socket named 'pop3s'"):
            listen("systemd:pop3s", {"pop3": handed})


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 110), ("::1", 995), ("localhost", 0)])
def test_an_address_and_its_parts(host: str, port: int) -> None:
    assert split_address(join_address(host, port)) == (host, port)
