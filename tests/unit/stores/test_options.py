"""Settings of the stores hold themselves to sense."""

import pytest

from restante.stores.options import MailOptions


def test_what_cannot_stand() -> None:
    with pytest.raises(ValueError, match="cache_octets"):
        MailOptions(cache_octets=-1)
    with pytest.raises(ValueError, match="prepared_octets"):
        MailOptions(prepared_octets=-1)
    with pytest.raises(ValueError, match="verify_at_login"):
        MailOptions(verify_at_login=-1)
    with pytest.raises(ValueError, match="verify_at_login_octets"):
        MailOptions(verify_at_login_octets=-1)
    assert MailOptions(cache_octets=0, verify_at_login=0).store == "maildir"
