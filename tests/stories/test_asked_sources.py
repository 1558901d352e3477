"""Sources that ask somebody else, behind a real server: by their how-to pages, and hanging."""

import poplib
import re
import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path

from serving import Dialogue, ServerProcess, eventually, fill

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


def written(page: str, language: str) -> str:
    """Return the program on a how-to page."""
    found = re.search(rf"```{language}\n(.*?)```", (HOW_TO / page).read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def executable(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def by_command(program: Path, **asking: float) -> str:
    bounds = "".join(f"{key} = {value}\n" for key, value in asking.items())
    return (
        f'[[auth.source]]\ntype = "command"\n[auth.source.command]\nprogram = "{program}"\n'
        f'maildir = "Maildir"\n[auth.source.asking]\n{bounds}'
    )


def test_the_command_of_the_how_to_page_lets_people_in(tmp_path: Path) -> None:
    people = tmp_path / "people"
    people.write_text("carol@example.org:sesame open\n")
    text = written("command.md", "python").replace("/usr/bin/python3", sys.executable)
    text = text.replace("/etc/restante/people", str(people)).replace("/home/", f"{tmp_path}/home-")
    program = executable(tmp_path / "checkpassword", text)
    fill(tmp_path / "home-carol@example.org" / "Maildir", b"Subject: one\r\n\r\nhello\r\n")
    with ServerProcess(tmp_path / "server", settings=by_command(program)) as server:
        server.account("bob@example.org", "secret")
        client = poplib.POP3(server.host, server.ports["none"], timeout=30)
        client.user("carol@example.org")
        client.pass_("sesame open")
        assert client.stat()[0] == 1
        client.quit()
        for name, password in (("carol@example.org", "wrong"), ("nobody@example.org", "secret")):
            with Dialogue(server.host, server.ports["none"]) as dialogue:
                assert dialogue.log_in(name, password).startswith(b"-ERR [AUTH]")
        tried = server.run(
            "auth", "test", "carol@example.org", "--password-stdin", stdin=b"sesame open\n"
        )
        assert (tried.returncode, b"command" in tried.stdout) == (0, True), tried.stderr
        people.unlink()
        with Dialogue(server.host, server.ports["none"]) as dialogue:
            assert dialogue.log_in("dave@example.org", "secret").startswith(b"-ERR [SYS/TEMP]")


def test_the_query_of_the_how_to_page_lets_people_in(tmp_path: Path) -> None:
    path = tmp_path / "people.sqlite"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(written("sql.md", "sql"))
    settings = written("sql.md", "toml").replace("/etc/restante/people.sqlite", str(path))
    with ServerProcess(tmp_path / "server", settings=settings) as server:
        fill(server.mail / "carol@example.org", b"Subject: one\r\n\r\nhello\r\n")
        for _ in range(2):
            client = poplib.POP3(server.host, server.ports["none"], timeout=30)
            client.user("carol@example.org")
            client.pass_("sesame open")
            assert client.stat()[0] == 1
            client.quit()
        for name, password in (("carol@example.org", "wrong"), ("nobody@example.org", "secret")):
            with Dialogue(server.host, server.ports["none"]) as dialogue:
                assert dialogue.log_in(name, password).startswith(b"-ERR [AUTH]")
        listed = server.run("mail", "list", "carol@example.org")
        assert listed.returncode == 0, listed.stderr
        path.unlink()
        with Dialogue(server.host, server.ports["none"]) as dialogue:
            assert dialogue.log_in("dave@example.org", "secret").startswith(b"-ERR [SYS/TEMP]")


def test_a_command_that_hangs_is_killed_and_others_log_in_meanwhile(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    program = executable(
        tmp_path / "hangs",
        f"#!{sys.executable} -ISE\nimport os, time\n"
        f"print(os.getpid(), file=open({str(pids)!r}, 'a'), flush=True)\ntime.sleep(600)\n",
    )
    settings = by_command(program, deadline_seconds=3, at_once=2)
    with ServerProcess(tmp_path / "server", settings=settings) as server:
        server.account("bob@example.org", "secret")
        replies: list[bytes] = []

        def hang() -> None:
            with Dialogue(server.host, server.ports["none"]) as dialogue:
                replies.append(dialogue.log_in("carol@example.org", "secret"))

        hanging = [threading.Thread(target=hang) for _ in range(8)]
        for thread in hanging:
            thread.start()
        eventually(pids.exists)
        with Dialogue(server.host, server.ports["none"]) as dialogue:
            assert dialogue.log_in("bob@example.org", "secret").startswith(b"+OK")
        assert replies == []
        for thread in hanging:
            thread.join()
        assert {reply[:15] for reply in replies} == {b"-ERR [SYS/TEMP]"}
        started = [int(line) for line in pids.read_text().split()]
        eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in started))
        assert "auth unavailable" in server.log()
