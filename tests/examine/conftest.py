"""The judge of the running server, one for a whole run."""

from __future__ import annotations

import pytest

from examine.served import Served, target_of
from restante.examine.judge import Judge


@pytest.fixture(scope="session")
def judge(restante_server: Served) -> Judge:
    """The judge, with accounts it makes as the cases need them."""
    return Judge(target_of(restante_server))
