"""Commands: keywords, arguments, and what makes a line none."""

import pytest

from restante.protocol.commands import BadSyntax, Command, Verb, number, parse


@pytest.mark.parametrize(
    "verb", ["CAPA", "LANG", "LIST", "NOOP", "QUIT", "RSET", "STAT", "STLS", "UIDL", "UTF8"]
)
def test_a_keyword_alone(verb: str) -> None:
    assert parse(verb.encode()) == Command(Verb(verb))
    assert parse(verb.lower().encode()) == Command(Verb(verb))


@pytest.mark.parametrize("line", [b"uSeR alice", b"USER alice", b"user alice"])
def test_keywords_know_no_case(line: bytes) -> None:
    """conformance: 1939-S-04"""
    assert parse(line) == Command(Verb.USER, name=b"alice")


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"LIST 1", Command(Verb.LIST, 1)),
        (b"UIDL 12", Command(Verb.UIDL, 12)),
        (b"RETR 1", Command(Verb.RETR, 1)),
        (b"DELE 0", Command(Verb.DELE, 0)),
        (b"TOP 1 0", Command(Verb.TOP, 1, 0)),
        (b"top 01 00010", Command(Verb.TOP, 1, 10)),
        (b"LANG *", Command(Verb.LANG, name=b"*")),
        (b"lang de-CH-1996", Command(Verb.LANG, name=b"de-CH-1996")),
        (b"AUTH plain", Command(Verb.AUTH, name=b"PLAIN")),
        (b"AUTH PLAIN =", Command(Verb.AUTH, name=b"PLAIN", data=b"=")),
        (b"AUTH X-a_1 QQ==", Command(Verb.AUTH, name=b"X-A_1", data=b"QQ==")),
    ],
)
def test_arguments(line: bytes, command: Command) -> None:
    assert parse(line) == command


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b" ",
        b" NOOP",
        b"LIST\t1",
        b"\tNOOP",
        b"XYZZY",
        b"LAST",
        b"RPOP alice",
        b"ABCDEFGHIJ",
        b"NO",
        b"NOOPS",
        b"ST\x01AT",
        b"ST\xffAT",
        "ＮＯＯＰ".encode(),
        "ſtat".encode(),
    ],
)
def test_unknown_keywords(line: bytes) -> None:
    """conformance: 1939-S-10, 1939-S-11, 1939-S-25, 1939-S-26, 2449-S-01, DF-S-02"""
    assert parse(line) is BadSyntax.UNKNOWN


@pytest.mark.parametrize("verb", ["CAPA", "NOOP", "QUIT", "RSET", "STAT", "STLS", "UTF8"])
@pytest.mark.parametrize("rest", [b" ", b" x", b" 1", b"  "])
def test_what_takes_no_argument_takes_none(verb: str, rest: bytes) -> None:
    """conformance: 1939-S-22, 2449-S-06, 2595-S-03, TG-U-3"""
    assert parse(verb.encode() + rest) is BadSyntax.NO_ARGUMENT


NOT_NUMBERS = [
    b"",
    b" ",
    b"-1",
    b"+1",
    b"0x1",
    b"1abc",
    b"1.0",
    b"1_0",
    b"1 ",
    b" 1",
    b"1\t",
    b"1e3",
    b"\xb2",
    b"12345678901",
    b"99999999999999999999",
    b"9" * 5000,
    "１".encode(),
    "١".encode(),
]


@pytest.mark.parametrize("argument", NOT_NUMBERS)
def test_what_is_no_number(argument: bytes) -> None:
    """conformance: 1939-S-77"""
    assert number(argument) is None


def test_numbers_are_one_to_ten_digits() -> None:
    """conformance: 1939-S-77"""
    assert number(b"0") == 0
    assert number(b"01") == 1
    assert number(b"4294967297") == 4_294_967_297
    assert number(b"9999999999") == 9_999_999_999


@pytest.mark.parametrize("verb", [b"RETR", b"DELE", b"LIST", b"UIDL"])
@pytest.mark.parametrize("argument", [*NOT_NUMBERS, b"1 2"])
def test_one_number_and_nothing_else(verb: bytes, argument: bytes) -> None:
    """conformance: 1939-S-22, 1939-S-81, 1939-S-86"""
    assert parse(verb + b" " + argument) is BadSyntax.ONE_NUMBER


def test_a_number_that_must_be_there() -> None:
    """conformance: 1939-S-22, 1939-S-81, 1939-S-86"""
    assert parse(b"RETR") is BadSyntax.ONE_NUMBER
    assert parse(b"DELE") is BadSyntax.ONE_NUMBER


@pytest.mark.parametrize(
    "line", [b"TOP", b"TOP 1", b"TOP 1 ", b"TOP 1 -1", b"TOP 1 x", b"TOP  1 1", b"TOP 1 2 3"]
)
def test_top_wants_both_its_numbers(line: bytes) -> None:
    """conformance: 1939-S-92, 1939-S-93"""
    assert parse(line) is BadSyntax.TWO_NUMBERS


@pytest.mark.parametrize("line", [b"USER", b"USER ", b"USER  a", b"USER a ", b"USER a b"])
def test_user_wants_one_name(line: bytes) -> None:
    """conformance: 1939-S-37"""
    assert parse(line) is BadSyntax.ONE_NAME


@pytest.mark.parametrize("name", [b"a\x01", b"a\tb", b"\x7f", b"a\xff", "😀".encode()])
def test_a_name_is_visible_ascii(name: bytes) -> None:
    """conformance: 6856-S-16"""
    assert parse(b"USER " + name) is BadSyntax.NOT_ASCII


def test_a_name_may_be_long() -> None:
    """conformance: 1939-S-12, 2449-S-02"""
    for octets in (40, 248):
        assert parse(b"USER " + b"n" * octets) == Command(Verb.USER, name=b"n" * octets)


@pytest.mark.parametrize("password", [b"pass with space", b" lead", b"trail ", b" ", b"[x] ~!"])
def test_a_password_is_everything_behind_the_first_space(password: bytes) -> None:
    """conformance: 1939-S-44"""
    assert parse(b"PASS " + password) == Command(Verb.PASS, data=password)


@pytest.mark.parametrize("line", [b"PASS", b"PASS "])
def test_an_empty_password_is_none(line: bytes) -> None:
    """conformance: 1939-S-45"""
    assert parse(line) is BadSyntax.NO_PASSWORD


@pytest.mark.parametrize("password", [b"\x01", b"a\tb", b"\x7f", b"\xc3\xbc"])
def test_a_password_is_printable_ascii(password: bytes) -> None:
    """conformance: 6856-S-16"""
    assert parse(b"PASS " + password) is BadSyntax.NOT_ASCII


@pytest.mark.parametrize(
    "line",
    [
        b"AUTH",
        b"AUTH ",
        b"AUTH  PLAIN",
        b"AUTH PLAIN ",
        b"AUTH PLAIN AGFsa WNl",
        b"AUTH PLAIN  =",
        b"AUTH PL/AIN",
        b"AUTH PL\xffIN",
        b"AUTH " + b"A" * 21,
    ],
)
def test_what_names_no_mechanism(line: bytes) -> None:
    """conformance: 4422-S-01"""
    assert parse(line) is BadSyntax.MECHANISM


def test_a_mechanism_name_has_up_to_twenty_characters() -> None:
    """conformance: 4422-S-01, 5034-S-06"""
    assert parse(b"auth " + b"a" * 20) == Command(Verb.AUTH, name=b"A" * 20)


DIGEST = b"c4c9334bac560ecc979e58001b3e22fb"


@pytest.mark.parametrize("digest", [DIGEST, DIGEST.upper(), DIGEST.title()])
def test_a_digest_is_the_same_in_either_case(digest: bytes) -> None:
    """conformance: 1939-S-60, 1939-S-61"""
    assert parse(b"apop mrose " + digest) == Command(Verb.APOP, name=b"mrose", data=DIGEST)


@pytest.mark.parametrize(
    "line",
    [
        b"APOP",
        b"APOP ",
        b"APOP alice",
        b"APOP alice ",
        b"APOP  " + DIGEST,
        b"APOP alice " + DIGEST[:-1],
        b"APOP alice " + DIGEST + b"0",
        b"APOP alice " + DIGEST[:-1] + b"g",
        b"APOP alice  " + DIGEST,
        b"APOP alice " + DIGEST + b" ",
        b"APOP a b " + DIGEST,
    ],
)
def test_apop_takes_a_name_and_a_digest(line: bytes) -> None:
    """conformance: 1939-S-61"""
    assert parse(line) is BadSyntax.NAME_AND_DIGEST


@pytest.mark.parametrize("name", [b"j\xc3\xb6rg", b"a\tb", b"a\x7f"])
def test_the_name_of_apop_is_visible_ascii(name: bytes) -> None:
    """conformance: 6856-S-16"""
    assert parse(b"APOP " + name + b" " + DIGEST) is BadSyntax.NOT_ASCII


NOT_UTF8 = [
    b"a\xff",
    b"\xc0\xaf",
    b"\x80",
    b"\xed\xa0\x80",
    "j\u00f6rg\x07".encode(),
    "ü\x7f".encode(),
]


@pytest.mark.parametrize("name", ["пользователь", "j\u00f6rg@ex\u00e4mple.org", "\U0001f600"])
def test_names_and_passwords_may_be_utf8(name: str) -> None:
    """conformance: 6856-S-12"""
    octets = name.encode()
    assert parse(b"USER " + octets, utf8=True) == Command(Verb.USER, name=octets)
    password = octets + b" ~"
    assert parse(b"PASS " + password, utf8=True) == Command(Verb.PASS, data=password)
    apop = Command(Verb.APOP, name=octets, data=DIGEST)
    assert parse(b"APOP " + octets + b" " + DIGEST.upper(), utf8=True) == apop


@pytest.mark.parametrize("octets", NOT_UTF8)
def test_names_and_passwords_are_not_anything(octets: bytes) -> None:
    """conformance: 6856-S-14"""
    for line in (b"USER " + octets, b"PASS " + octets, b"APOP " + octets + b" " + DIGEST):
        assert parse(line, utf8=True) is BadSyntax.NOT_UTF8


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"USER alice", None),
        (b"PASS secret", None),
        (b"APOP alice " + DIGEST, None),
        (b"USER", BadSyntax.ONE_NAME),
        ("USER j\u00f6rg b".encode(), BadSyntax.ONE_NAME),
        (b"USER a\x7f", BadSyntax.NOT_ASCII),
        (b"PASS ", BadSyntax.NO_PASSWORD),
        (b"APOP ", BadSyntax.NAME_AND_DIGEST),
        ("APOP j\u00f6rg".encode(), BadSyntax.NAME_AND_DIGEST),
        ("APOP j\u00f6rg ".encode() + DIGEST + b"0", BadSyntax.NAME_AND_DIGEST),
        (b"XYZZY \xff", BadSyntax.UNKNOWN),
    ],
)
def test_all_else_is_as_without_utf8(line: bytes, fault: BadSyntax | None) -> None:
    found = parse(line, utf8=True)
    assert found is fault if fault else found == parse(line)


@pytest.mark.parametrize(
    "rest",
    [b"", b"e!n", b"en x", b"en ", b" en", b"en-", b"-en", b"abcdefghi", b"1en", b"**", b"*-de",
     "fran\u00e7ais".encode()],
)  # fmt: skip
def test_a_range_of_languages_is_letters_in_parts(rest: bytes) -> None:
    """conformance: 6856-S-20"""
    assert parse(b"LANG " + rest) is BadSyntax.LANGUAGE


def test_a_command_shows_neither_name_nor_password() -> None:
    """conformance: 5034-S-31"""
    for line in (b"USER kanarienvogel", b"PASS kanarienvogel", b"AUTH PLAIN kanarienvogel"):
        command = parse(line)
        assert "kanarienvogel" not in repr(command)
        assert "kanarienvogel" not in f"{command}"
