"""Trials, beside the command that shows them."""

from pathlib import Path

import pytest

from restante.auth.accounts import FILE_NAME, AccountsDatabase
from restante.auth.hashes import hash_password
from restante.auth.trial import MECHANISMS, attempt
from restante.errors import AccountError
from restante.secret import Secret
from unit.auth.scene import CHEAP, options

ADDRESS = "192.0.2.1"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "auth").mkdir()
    database = AccountsDatabase(tmp_path / FILE_NAME)
    database.add("bob", hash_password(b"secret", CHEAP), "/mail/bob")
    database.close()
    return tmp_path


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_every_mechanism_has_an_answer(state: Path, mechanism: str) -> None:
    trial = attempt(options(state), "Bob", Secret(b"secret"), mechanism, ADDRESS)
    assert trial.name == "bob"
    assert (trial.reason is None) == (mechanism in ("LOGIN", "PLAIN", "USER"))
    served = trial.reason != "mechanism" and not mechanism.startswith("SCRAM-SHA-1")
    assert trial.verifiable == served


def test_without_a_folder_there_is_nobody(tmp_path: Path) -> None:
    for mechanism in ("PLAIN", "SCRAM-SHA-256"):
        settings = options(tmp_path / "nowhere")
        trial = attempt(settings, "bob", Secret(b"secret"), mechanism, ADDRESS)
        assert (trial.reason, trial.source, trial.notes) == ("unknown", None, ())
    assert not (tmp_path / "nowhere").exists()


def test_a_mechanism_that_is_none(state: Path) -> None:
    with pytest.raises(AccountError, match="no mechanism"):
        attempt(options(state), "bob", Secret(b"secret"), "ANONYMOUS", ADDRESS)


def test_no_secret_shows(state: Path) -> None:
    trial = attempt(options(state), "bob", Secret(b"kanarienvogel"), "PLAIN", ADDRESS)
    assert "kanarienvogel" not in repr(trial)
    assert "argon2id$" not in repr(trial)
