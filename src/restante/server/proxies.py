"""What the connections of a listener that proxies send to have in common: whom to believe, how far.

The policy on passwords in clear goes by where the client is, and a proxy on another machine cannot
make anybody local: between it and here the password would be readable all the same.
"""

from dataclasses import replace
from functools import lru_cache
from ipaddress import ip_address

from restante.server.offering import Offering, is_loopback, plain_address
from restante.server.options import ListenerOptions, OfferOptions, parse_network
from restante.server.proxy_header import Header


class Proxies:
    """The trusted senders of one listener, made once."""

    def __init__(
        self,
        options: OfferOptions,
        listener: ListenerOptions,
        direct: Offering,
        *,
        tls_ready: bool,
    ) -> None:
        self.direct = direct
        """For who comes without a proxy."""
        self._networks = [parse_network(network) for network in listener.proxy_protocol]
        self.trusts = lru_cache(maxsize=1_024)(self._trusts)

        distant = replace(options, cleartext="tls") if options.cleartext == "loopback" else options

        def offering(policy: OfferOptions, *, unnoticed: bool) -> Offering:
            return Offering(
                policy, listener, tls_ready=tls_ready, local=direct.local, unnoticed=unnoticed
            )

        self._near, self._far = direct, offering(distant, unnoticed=False)
        self._own = offering(options, unnoticed=True)
        self._nobody = offering(distant, unnoticed=True)

    def offering(self, header: Header, sender: tuple[str, int]) -> Offering:
        """Return what a connection may be offered, by its header and who sent that."""
        if header.own:
            return self._own
        if header.ends is None:
            return self._nobody
        address, port = header.ends.remote
        if (plain_address(address), port) == sender:
            # Version 1 has no word for a proxy that speaks for itself: it names its own end.
            return self._own
        return self._near if is_loopback(sender[0]) else self._far

    def _trusts(self, address: str) -> bool:
        try:
            parsed = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)
