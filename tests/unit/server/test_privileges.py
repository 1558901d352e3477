"""Giving up what is not needed, for good; each try is made by a process of its own."""

import os
import pwd
import resource
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from restante.errors import ConfigurationError
from restante.server import privileges

NOBODY = "nobody"

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has something to give up")


def in_a_process(work: Callable[[], str]) -> str:
    """Return what a function returns in a process of its own."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = work()
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return said


@as_root
def test_root_is_given_up_for_good() -> None:
    def work() -> str:
        privileges.become(NOBODY)
        entry = pwd.getpwnam(NOBODY)
        assert os.getresuid() == (entry.pw_uid,) * 3
        assert os.getresgid() == (entry.pw_gid,) * 3
        assert 0 not in os.getgroups()
        tries: tuple[Callable[[int], None], ...] = (os.setuid, os.seteuid, os.setgid)
        for take_back in tries:
            try:
                take_back(0)
            except PermissionError:
                continue
            return "taken back"
        return "gone"

    assert in_a_process(work) == "gone"


@as_root
def test_what_could_be_taken_back_is_not_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "setresuid", lambda *_: None)
    for name in ("setgroups", "initgroups", "setresgid"):
        monkeypatch.setattr(os, name, lambda *_: None)
    with pytest.raises(PermissionError, match="could not be dropped"):
        privileges.become(NOBODY)


def test_a_user_who_is_not_there() -> None:
    assert privileges.look_up(NOBODY, "user").pw_name == NOBODY
    with pytest.raises(ConfigurationError, match=r"^auth_user: there is no user 'no such'"):
        privileges.look_up("no such", "auth_user")


def test_nobody_looks_inside_and_no_core_is_left() -> None:
    def work() -> str:
        privileges.keep_secrets_in()
        status = Path("/proc/self/status").read_text()
        assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
        return "owned by root" if os.stat("/proc/self/environ").st_uid == 0 else status

    assert in_a_process(work) == "owned by root"


@as_root
def test_another_process_of_its_user_cannot_read_it() -> None:
    def work() -> str:
        privileges.become(NOBODY)
        privileges.keep_secrets_in()
        parent = os.getpid()

        def look() -> str:
            try:
                Path(f"/proc/{parent}/environ").read_bytes()
            except PermissionError:
                return "refused"
            return "read"

        return in_a_process(look)

    assert in_a_process(work) == "refused"


def test_all_descriptors_there_may_be() -> None:
    def work() -> str:
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
        privileges.raise_descriptor_limit()
        return str(resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard))

    assert in_a_process(work) == "True"


@pytest.mark.parametrize("mode", [0o700, 0o711])
def test_a_directory_has_its_mode_whatever_there_was(tmp_path: Path, mode: int) -> None:
    for path in (tmp_path / "new", tmp_path / "a" / "b", tmp_path):
        privileges.make_directory(path, mode, None)
        assert stat.S_IMODE(path.stat().st_mode) == mode


@as_root
def test_a_directory_belongs_to_its_role(tmp_path: Path) -> None:
    privileges.make_directory(tmp_path / "locks", 0o700, NOBODY)
    assert (tmp_path / "locks").stat().st_uid == pwd.getpwnam(NOBODY).pw_uid
