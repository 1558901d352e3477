"""Sources by their types: what the settings name, made."""

from collections.abc import Callable, Sequence

from restante.auth.accounts import FILE_NAME, AccountsDatabase
from restante.auth.asked import AskedFinder, AskedVerifier
from restante.auth.bearers import CertificateSource, TokenSource
from restante.auth.certificates import CertificateNames
from restante.auth.command import Command
from restante.auth.options import AskingOptions, AuthOptions
from restante.auth.passwd_file import PasswdFile
from restante.auth.sources import Source
from restante.auth.sql.sources import make_source
from restante.auth.verifiable import verifies
from restante.telemetry import Log


def make_sources(options: AuthOptions, log: Log) -> Sequence[Source]:
    """Return the sources of accounts that the options name, in their order."""
    sources: list[Source] = []
    for source in options.sources:
        verified = verifies(source, options.hashing)
        if source.type == "passwd-file":
            assert source.path is not None
            sources.append(PasswdFile(source.path, options.default_domain, log, verifies=verified))
        elif source.type == "accounts":
            sources.append(AccountsDatabase(options.state_directory / FILE_NAME, verified))
        elif source.type == "sql":
            assert source.sql is not None
            asking = source.asking or AskingOptions()
            sources.append(AskedFinder(make_source(source.sql, asking), asking, log))
        elif source.type == "command":
            assert source.command is not None
            asking = source.asking or AskingOptions()
            sources.append(AskedVerifier(Command(source.command), asking, log))
    return sources


def make_certificate_sources(
    options: AuthOptions, log: Log, wall_clock: Callable[[], float]
) -> Sequence[CertificateSource]:
    """Return the sources that the options name for certificates, in their order."""
    return [
        CertificateNames(source, options.default_domain, log, wall_clock)
        for source in options.sources
        if source.type == "certificate"
    ]


def make_token_sources(
    options: AuthOptions, clock: Callable[[], float], wall_clock: Callable[[], float]
) -> Sequence[TokenSource]:
    """Return the sources that the options name for bearer tokens, in their order."""
    issuers = [source.oauth2 for source in options.sources if source.oauth2 is not None]
    if not issuers:
        return ()
    # What it takes is not installed everywhere.
    from restante.auth.oauth2.sources import make_source as make_issuer

    domain = options.default_domain
    return [make_issuer(issuer, domain, clock, wall_clock) for issuer in issuers]
