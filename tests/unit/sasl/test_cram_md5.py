"""CRAM-MD5: the example of RFC 2195 §2, fresh challenges, names with spaces."""

import re
from dataclasses import replace

import pytest

from restante.identity import DigestCredentials
from restante.sasl.cram_md5 import CramMd5Client, CramMd5Server, check_cram_md5, cram_md5_digest
from restante.sasl.mechanism import Challenge, Channel, MechanismError
from restante.secret import Secret

CHALLENGE = b"<1896.697170952@postoffice.reston.mci.net>"
SECRET = b"tanstaaftanstaaf"
HEX = b"b913a602c7eda7a495b4e6e7334d3890"
DIGEST = bytes.fromhex(HEX.decode())
CHANNEL = Channel(hostname="pop.example.org", random=bytes(range(18)))


def begun(channel: Channel = CHANNEL) -> tuple[CramMd5Server, bytes]:
    server = CramMd5Server(channel)
    challenge = server.start(None)
    assert isinstance(challenge, Challenge)
    return server, challenge.data


def test_the_example_of_the_rfc() -> None:
    """conformance: 2195-S-02"""
    assert cram_md5_digest(CHALLENGE, SECRET) == DIGEST


def test_a_digest_is_checked() -> None:
    assert check_cram_md5(CHALLENGE, SECRET, DIGEST)
    assert not check_cram_md5(CHALLENGE, SECRET, DIGEST[:-1] + b"\0")
    assert not check_cram_md5(CHALLENGE, SECRET, b"")
    assert not check_cram_md5(CHALLENGE, SECRET + b"f", DIGEST)
    assert not check_cram_md5(CHALLENGE[1:], SECRET, DIGEST)


def test_challenges_are_new_and_have_the_form_of_a_msg_id() -> None:
    """conformance: 2195-S-01"""
    randoms = [number.to_bytes(18, "big") for number in range(0, 2**40, 2**33 - 1)]
    challenges = {begun(replace(CHANNEL, random=random))[1] for random in randoms}
    assert len(challenges) == len(randoms)
    for challenge in challenges:
        assert re.fullmatch(rb"<[0-9]+\.[0-9]+@pop\.example\.org>", challenge)


def test_without_random_octets_there_is_no_challenge() -> None:
    """conformance: 2195-S-01"""
    with pytest.raises(ValueError, match="too few"):
        CramMd5Server(Channel(random=bytes(17)))


def test_a_response() -> None:
    """conformance: 2195-S-02"""
    server, challenge = begun()
    expected = DigestCredentials("tim", challenge, Secret(DIGEST), "CRAM-MD5", "")
    assert server.respond(b"tim " + HEX) == expected


def test_the_last_space_counts() -> None:
    """conformance: 2195-S-03"""
    assert begun()[0].respond("a b ü ".encode() + HEX.upper()).name == "a b ü"


def test_there_is_no_initial_response() -> None:
    """conformance: 5034-S-11"""
    for message in (b"", b"tim " + HEX):
        with pytest.raises(MechanismError, match="no initial response"):
            CramMd5Server(CHANNEL).start(message)


@pytest.mark.parametrize(
    "response",
    [
        *(b"", b" ", b"tim", HEX, b" " + HEX, b"tim" + HEX, b"tim " + HEX + b" "),
        *(b"tim " + HEX[1:], b"tim " + HEX + b"0", b"tim g" + HEX[1:], b"tim\t" + HEX),
        *(b"\xff " + HEX, b"t\0m " + HEX, b"a" * 1025 + b" " + HEX),
    ],
)
def test_what_is_no_response(response: bytes) -> None:
    """conformance: 2195-S-02"""
    with pytest.raises(MechanismError, match="a name and a digest"):
        begun()[0].respond(response)


def test_what_a_client_sends() -> None:
    """conformance: 2195-S-02"""
    client = CramMd5Client("tim", Secret(SECRET))
    assert not client.verified
    assert client.step(CHALLENGE) == b"tim " + HEX
    assert client.verified
    with pytest.raises(MechanismError, match="one challenge"):
        client.step(CHALLENGE)


@pytest.mark.parametrize("challenge", [b"", b"c" * 4097])
def test_what_a_client_takes_for_no_challenge(challenge: bytes) -> None:
    with pytest.raises(MechanismError, match="one challenge"):
        CramMd5Client("tim", Secret(SECRET)).step(challenge)
