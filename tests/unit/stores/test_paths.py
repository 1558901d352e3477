"""Mailbox paths: below the template's root, whatever the name holds."""

import pytest

from restante.errors import PermanentFailure
from restante.identity import Identity
from restante.stores.paths import mailbox_path

TEMPLATE = "/var/vmail/{domain}/{local}/Maildir"


def path(name: str, template: str = TEMPLATE, default_domain: str = "") -> str:
    return mailbox_path(template, Identity(name, "test", None), default_domain)


def test_a_name_with_its_domain() -> None:
    assert path("bob@example.org") == "/var/vmail/example.org/bob/Maildir"
    assert path("a@b@example.org") == "/var/vmail/example.org/a@b/Maildir"
    assert path("bob@example.org", "/m/{name}") == "/m/bob@example.org"


def test_a_bare_name_has_the_default_domain() -> None:
    assert path("bob", default_domain="example.net") == "/var/vmail/example.net/bob/Maildir"
    with pytest.raises(PermanentFailure):
        path("bob")
    assert path("bob", "/m/{local}") == "/m/bob"


@pytest.mark.parametrize(
    "name",
    [
        "../bob@example.org",
        "..@example.org",
        ".@example.org",
        ".hidden@example.org",
        "a/b@example.org",
        "/@example.org",
        "bob@..",
        "bob@a/b",
        "a\0b@example.org",
        "@example.org",
        "bob@",
        "x" * 256 + "@example.org",
    ],
)
def test_a_name_that_can_have_no_path(name: str) -> None:
    with pytest.raises(PermanentFailure):
        path(name)


def test_what_a_name_brings_is_not_expanded_again() -> None:
    assert path("{domain}@example.org") == "/var/vmail/example.org/{domain}/Maildir"


def test_the_path_of_a_source_stands_as_it_is() -> None:
    identity = Identity("bob", "test", "/home/{local}/../Maildir")
    assert mailbox_path(TEMPLATE, identity, "") == "/home/{local}/../Maildir"
    with pytest.raises(PermanentFailure):
        mailbox_path(TEMPLATE, Identity("bob", "test", "/home/\0"), "")
