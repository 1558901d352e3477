"""Sources of bearer tokens, made of their settings."""

from collections.abc import Callable

from restante.auth.bearers import TokenSource
from restante.auth.oauth2.claims import Rules
from restante.auth.oauth2.http import Requester
from restante.auth.oauth2.introspection import IntrospectionSource
from restante.auth.oauth2.jwt import JwtSource
from restante.auth.oauth2.keys import FetchedKeys, FileKeys, Keys
from restante.auth.oauth2.options import OAuth2Options

Clock = Callable[[], float]


def make_source(
    options: OAuth2Options, default_domain: str, clock: Clock, wall_clock: Clock
) -> TokenSource:
    """Return what judges the tokens of one issuer."""
    rules = Rules(options, default_domain)
    requester = Requester(None if options.authorities is None else str(options.authorities))
    if options.introspection_url:
        return IntrospectionSource(options, requester, rules, clock, wall_clock)
    return JwtSource(options, _keys(options, requester, clock), rules, wall_clock)


def _keys(options: OAuth2Options, requester: Requester, clock: Clock) -> Keys:
    if options.keys_file is not None:
        return FileKeys(options.keys_file)
    return FetchedKeys(
        requester,
        options.keys_url,
        keys_seconds=options.keys_seconds,
        deadline_seconds=options.deadline_seconds,
        clock=clock,
    )
