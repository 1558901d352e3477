"""What the server can carry out."""

from restante.sasl import PlainServer
from restante.server.mechanisms import MECHANISMS, begin


def test_every_exchange_is_new() -> None:
    for name in MECHANISMS:
        first, second = begin(name), begin(name)
        assert first.name == name
        assert first is not second
    assert isinstance(begin("PLAIN"), PlainServer)
