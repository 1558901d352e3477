"""Settings of an issuer that cannot stand are refused with a sentence."""

from pathlib import Path
from typing import Any

import pytest

from restante.auth.oauth2.options import OAuth2Options
from restante.auth.options import SourceOptions
from unit.auth.oauth2.issuer import local, remote

FILE = Path("file")
URL = "https://id.example.org/introspect"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"keys_file": None}, "exactly one of"),
        ({"keys_url": "https://id.example.org/"}, "exactly one of"),
        ({"issuer": ""}, "issuer and audience have to be set"),
        ({"audience": ()}, "issuer and audience have to be set"),
        ({"client_id": "pop"}, "belong to introspection_url"),
        ({"algorithms": ()}, "algorithms: without one"),
        ({"account_claim": ""}, "account_claim: something"),
        ({"leeway_seconds": 301}, "leeway_seconds is 0 to 300"),
        ({"leeway_seconds": float("nan")}, "leeway_seconds is 0 to 300"),
        ({"keys_seconds": 1}, "keys_seconds is 60 to 86400"),
        ({"deadline_seconds": 0}, "deadline_seconds is more than 0, 20 at most"),
        ({"deadline_seconds": 21}, "deadline_seconds is more than 0, 20 at most"),
        ({"cache_seconds": -1}, "cache_seconds is 0 to 3600"),
        ({"concurrent": 0}, "concurrent is at least 1"),
        ({"cache_entries": 0}, "cache_entries is at least 1"),
        ({"queue": -1}, "queue is not negative"),
    ],
)
def test_what_cannot_stand(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        local(FILE, **settings)


@pytest.mark.parametrize("lost", ["client_id", "client_secret_file"])
def test_introspection_needs_a_client(lost: str) -> None:
    with pytest.raises(ValueError, match="introspection_url needs client_id and client_secret"):
        remote(URL, FILE, **{lost: None if lost == "client_secret_file" else ""})


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://id.example.org/", "has to begin with https://"),
        ("http://192.0.2.1/", "has to begin with https://"),
        ("file:///etc/passwd", "that is no URL of a page"),
        ("ftp://id.example.org/", "has to begin with https://"),
        ("https://", "that is no URL of a page"),
        ("https://id.example.org/#there", "that is no URL of a page"),
        ("https://bob:secret@id.example.org/", "a secret does not belong into a URL"),
        ("https://id.example.org/\r\nX: y", "a URL is printable ASCII"),
        ("https://id.example.org/a b", "a URL is printable ASCII"),
        ("https://id.example.org:port/", "that is no URL"),
        ("https://[::1/", "that is no URL"),
    ],
)
def test_urls_that_will_not_do(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"introspection_url: {words}"):
        remote(url, FILE)
    with pytest.raises(ValueError, match=f"keys_url: {words}"):
        OAuth2Options(keys_url=url, issuer="x", audience=("x",))


@pytest.mark.parametrize("url", [URL, "http://127.0.0.1:8080/x?y=z", "http://[::1]/"])
def test_urls_that_will(url: str) -> None:
    assert remote(url, FILE).introspection_url == url


def test_no_algorithm_can_be_named_that_shares_its_key() -> None:
    """threats: A11"""
    from typing import get_args

    from restante.auth.oauth2.options import Algorithm

    assert {name[:2] for name in get_args(Algorithm)} == {"RS", "PS", "ES"}


def test_a_source_has_a_table_or_is_of_another_type() -> None:
    with pytest.raises(ValueError, match="belong together"):
        SourceOptions(type="oauth2")
    with pytest.raises(ValueError, match="belong together"):
        SourceOptions(oauth2=local(FILE))
    with pytest.raises(ValueError, match="path: a source of type oauth2 takes none"):
        SourceOptions(type="oauth2", path=FILE, oauth2=local(FILE))
