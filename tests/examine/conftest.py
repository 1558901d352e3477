"""The judges of running servers, one each for a whole run.

Most cases are about a server that offers everything to the same accounts, but for the digests: RFC
1939 §13 and RFC 2195 §4 want a password for them alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from examine.served import target_of
from restante.examine.judge import Judge

from conftest import RestanteServer, running
from serving import ALL_BUT_DIGESTS, ALL_MECHANISMS, DIGESTS, TOKENS


@pytest.fixture(scope="session")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """The judge of a server that offers everything but the digests."""
    yield from _judge_of(
        RestanteServer(tmp_path_factory.mktemp("judged"), *ALL_BUT_DIGESTS, *TOKENS, utf8=True)
    )


@pytest.fixture(scope="session")
def judge_of_surrogates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """The judge of a server that shows surrogates to whoever has not said UTF8."""
    yield from _judge_of(RestanteServer(tmp_path_factory.mktemp("surrogates"), surrogates=True))


@pytest.fixture(scope="session")
def judge_of_digests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """The judge of a server that offers the digests alone."""
    yield from _judge_of(RestanteServer(tmp_path_factory.mktemp("digests"), *DIGESTS, utf8=True))


@pytest.fixture(scope="session")
def judge_of_everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """The judge of a server that offers digests beside passwords."""
    yield from _judge_of(
        RestanteServer(tmp_path_factory.mktemp("everything"), *ALL_MECHANISMS, utf8=True)
    )


def _judge_of(server: RestanteServer) -> Iterator[Judge]:
    for started in running(server):
        yield Judge(target_of(started))
