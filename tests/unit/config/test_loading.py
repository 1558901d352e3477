"""From a file to option types."""

from pathlib import Path

import pytest

from restante.auth.options import SourceOptions
from restante.config.loading import DEFAULT_STATE_DIRECTORY, load, load_state_directory, parse
from restante.errors import ConfigurationError
from restante.server.options import ListenerOptions, processors
from unit.config.written import FILE, LISTENER, RIGHT, findings


def test_every_part_gets_its_settings() -> None:
    configuration = parse(RIGHT, FILE)
    server, auth = configuration.server, configuration.auth
    assert server.hostname == "pop.example.org"
    assert server.workers == 2
    assert server.listeners == (
        ListenerOptions(address="127.0.0.1:110", tls="stls"),
        ListenerOptions(address="[::1]:995", tls="implicit"),
    )
    assert server.tls.certificate == Path("/etc/restante/fullchain.pem")
    assert server.tls.additional[0].names == ("pop.example.net", "*.example.com")
    assert server.offers.cleartext == "loopback"
    assert server.offers.mechanisms == ("USER",)
    assert server.limits.connections == 50
    assert auth.throttle.first_delay_seconds == 1.0
    assert auth.sources[1] == SourceOptions(type="accounts")


def test_what_several_parts_need_is_said_once() -> None:
    configuration = parse(RIGHT, FILE)
    assert configuration.auth.state_directory == Path("/var/lib/restante")
    assert configuration.mail.state_directory == Path("/var/lib/restante")
    assert configuration.auth.default_domain == "example.org"
    assert configuration.mail.default_domain == "example.org"


def test_relative_paths_count_from_the_folder_of_the_file() -> None:
    configuration = parse(RIGHT, FILE)
    assert configuration.server.tls.additional[0].private_key == FILE.parent / "net/privkey.pem"
    assert configuration.auth.sources[0].path == FILE.parent / "passwd"
    assert configuration.mail.path == "/etc/restante/mail/{domain}/{local}"


def test_little_has_to_be_said() -> None:
    configuration = parse(LISTENER, FILE)
    assert configuration.server.workers == processors()
    assert configuration.server.hostname
    assert configuration.server.state_directory == Path("/var/lib/restante")
    assert configuration.auth.sources == (SourceOptions(type="accounts"),)
    assert configuration.mail.path == "/var/vmail/{domain}/{local}/Maildir"


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "restante.toml"
    file.write_bytes(LISTENER.replace("\n", "\r\n").encode())
    assert load(file).file == file


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"hostname = \n", 1, "this is not TOML: "),
        (b"\n\n[tls\n", 3, "this is not TOML: "),
        (b"a = 1\n\na = 2\n", 3, "this is not TOML: "),
        (b"[a]\n[a]\n", 2, "this is not TOML: "),
        (b'a = 1\nb = "x', 2, "this is not TOML: "),
        (b"a = 1\nb = '\xff'\n", 2, "this is not UTF-8"),
        (b"a = \x00\n", 1, "this is not TOML: "),
        (b"\xef\xbb\xbfa = 1\n", 1, "this is not TOML: "),
    ],
)
def test_what_is_no_toml_has_a_line(tmp_path: Path, data: bytes, line: int, words: str) -> None:
    file = tmp_path / "restante.toml"
    file.write_bytes(data)
    with pytest.raises(ConfigurationError) as caught:
        load(file)
    assert str(caught.value).startswith(f"{file}:{line}: {words}")
    assert "\n" not in str(caught.value)


def test_a_text_nested_too_deeply_is_refused() -> None:
    assert findings("a = " + "[" * 100_000) == [
        "lists or tables are nested too deeply",
    ]


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"No such file|Is a directory") as caught:
        load(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")


def test_a_server_is_found_by_a_file_full_of_mistakes(tmp_path: Path) -> None:
    file = tmp_path / "restante.toml"
    file.write_text('state_directory = "state"\nnonsense = 1\n[[listener]]\n')
    assert load_state_directory(file) == tmp_path / "state"
    file.write_text("nonsense = 1\n")
    assert load_state_directory(file) == DEFAULT_STATE_DIRECTORY
    file.write_text("\nstate_directory = 3\n")
    with pytest.raises(ConfigurationError, match=":2: state_directory: must be a path"):
        load_state_directory(file)


def test_an_error_of_a_later_step_gets_its_place() -> None:
    configuration = parse(RIGHT, FILE)
    located = configuration.locate(ConfigurationError("tls.additional[0].certificate: it is weak"))
    assert str(located) == f"{FILE}:18: tls.additional[0].certificate: it is weak"
    located = configuration.locate(ConfigurationError("user: there is no user 'x'"))
    assert str(located) == f"{FILE}: user: there is no user 'x'"
    assert str(configuration.locate(ConfigurationError("no"))) == f"{FILE}: no"
