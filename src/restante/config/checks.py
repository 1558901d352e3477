"""Checks between settings: what each may be alone, but not together.

Nothing here looks at the machine; `environment` does.
"""

import string
from ipaddress import ip_address

from restante.config.configuration import Configuration
from restante.config.findings import Findings
from restante.server.options import INHERITED, ListenerOptions, split_address
from restante.stores.options import MailOptions

_WILDCARDS = {"0.0.0.0": 4, "::": 6}
_BEFORE_LOGINS = (("auth", "mechanisms"), ("auth", "cleartext"), ("listener",))
_PLACEHOLDERS = {"name", "local", "domain"}


def check(configuration: Configuration, findings: Findings) -> None:
    """Find what cannot stand together."""
    _check_listeners(configuration, findings)
    _check_logins(configuration, findings)
    _check_mail(configuration, findings)
    if not configuration.auth.sources and not findings.about(("auth", "source")):
        findings.add(("auth", "source"), "without a source of accounts nobody can log in")


def _check_listeners(configuration: Configuration, findings: Findings) -> None:
    server = configuration.server
    # Whatever keeps [tls] from being read is said where it stands.
    has_certificate = server.tls.certificate is not None or findings.about(("tls",))
    if not server.listeners and not findings.about(("listener",)):
        findings.add((), "there is no [[listener]], so nobody could connect")
    for number, listener in enumerate(server.listeners):
        if listener.tls != "none" and not has_certificate:
            findings.add(
                ("listener", number, "tls"),
                f'"{listener.tls}" needs tls.certificate and tls.private_key',
            )
        for earlier in server.listeners[:number]:
            if _collide(earlier, listener):
                findings.add(
                    ("listener", number, "address"),
                    f"{listener.address} is taken by the listener on {earlier.address}",
                )


def _collide(one: ListenerOptions, other: ListenerOptions) -> bool:
    """Tell whether two listeners cannot be bound at once."""
    if one.address.startswith(INHERITED) or other.address.startswith(INHERITED):
        return one.address == other.address
    (host, port), (other_host, other_port) = (
        split_address(one.address),
        split_address(other.address),
    )
    if port != other_port or port == 0 or (":" in host) != (":" in other_host):
        return False
    return host == other_host or host in _WILDCARDS or other_host in _WILDCARDS


def _check_logins(configuration: Configuration, findings: Findings) -> None:
    """RFC 1939 §4: a server offers at least one way to authenticate, where somebody can use it."""
    offers, listeners = configuration.server.offers, configuration.server.listeners
    if any(findings.about(path) for path in _BEFORE_LOGINS):
        return
    if "EXTERNAL" in offers.mechanisms and configuration.server.tls.client_authorities is None:
        findings.add(
            ("auth", "mechanisms"),
            '"EXTERNAL" needs tls.client_authorities, whose certificates it is about',
        )
    if not offers.mechanisms:
        findings.add(("auth", "mechanisms"), "without a mechanism nobody can log in")
    elif listeners and not any(
        listener.tls != "none" or _takes_cleartext(offers.cleartext, listener)
        for listener in listeners
    ):
        findings.add(
            ("auth", "cleartext"),
            f'"{offers.cleartext}" refuses passwords on every listener there is: none has TLS',
        )


def _takes_cleartext(policy: str, listener: ListenerOptions) -> bool:
    if policy != "loopback" or listener.address.startswith(INHERITED):
        return policy != "tls"
    try:
        host = ip_address(split_address(listener.address)[0].partition("%")[0])
    except ValueError:
        return True
    return host.is_loopback or host.is_unspecified


def _check_mail(configuration: Configuration, findings: Findings) -> None:
    mail = configuration.mail
    if mail.store == "memory":
        if configuration.server.workers > 1:
            findings.add(
                ("workers",), 'has to be 1 with mail.store = "memory": workers share no memory'
            )
        return
    sentence = _bad_template(mail)
    if sentence and not findings.about(("mail", "path")):
        findings.add(("mail", "path"), sentence)


def _bad_template(mail: MailOptions) -> str | None:
    try:
        pieces = list(string.Formatter().parse(mail.path))
    except ValueError:
        return "has a brace without its other half"
    names = {name for _, name, _, _ in pieces if name is not None}
    if unknown := sorted(names - _PLACEHOLDERS):
        return f"knows {{name}}, {{local}} and {{domain}}, not {{{unknown[0]}}}"
    if any(extra or conversion for _, _, extra, conversion in pieces):
        return "takes {name}, {local} and {domain} as they are, without a format"
    if not names & {"name", "local"}:
        return "needs {name} or {local}, or all accounts would share one mailbox"
    return None
