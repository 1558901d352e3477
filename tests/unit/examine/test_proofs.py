"""Proofs of passwords: the examples that the RFCs print."""

from __future__ import annotations

import pytest

from restante.examine.proofs import Scram, apop_digest, cram_response, timestamp_in


def test_apop_is_as_in_rfc_1939() -> None:
    timestamp = timestamp_in("+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>")
    assert timestamp == "<1896.697170952@dbc.mtview.ca.us>"
    assert apop_digest(timestamp, "tanstaaf") == "c4c9334bac560ecc979e58001b3e22fb"


@pytest.mark.parametrize("greeting", ["+OK ready", "+OK <hello> there", "+OK <a b@c> <@> <d@>"])
def test_not_everything_in_brackets_is_a_timestamp(greeting: str) -> None:
    assert timestamp_in(greeting) is None


def test_cram_md5_is_as_in_rfc_2195() -> None:
    challenge = b"<1896.697170952@postoffice.reston.mci.net>"
    response = cram_response("tim", "tanstaaftanstaaf", challenge)
    assert response == b"tim b913a602c7eda7a495b4e6e7334d3890"


@pytest.mark.parametrize(
    ("hash_name", "nonce", "server_first", "proof", "verifier"),
    [
        (
            "sha1",
            "fyko+d2lbbFgONRv9qkxdawL",
            "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ),
        (
            "sha256",
            "rOprNGfwEbeRWgbNEkqO",
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
            "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ),
    ],
    ids=["rfc5802", "rfc7677"],
)
def test_scram_is_as_printed(
    hash_name: str, nonce: str, server_first: str, proof: str, verifier: str
) -> None:
    scram = Scram(hash_name, "user", "pencil", nonce=nonce)
    assert scram.first == f"n,,n=user,r={nonce}"
    scram.take(server_first)
    final = scram.final()
    assert final == f"c=biws,r={scram.full_nonce},{proof}"
    assert scram.verifier(final) == verifier


def test_names_are_escaped() -> None:
    assert Scram("sha1", "a=b,c", "", nonce="n").bare == "n=a=3Db=2Cc,r=n"


@pytest.mark.parametrize(
    "server_first",
    [
        "s=QSXC,i=4096",
        "r=n,i=4096",
        "r=n,s=QSXC",
        "r=n,s=,i=4096",
        "r=m,s=QSXC,i=4096",
        "r=n,s=QSXC,i=99999999999",
    ],
)
def test_a_first_message_that_cannot_be_used_is_an_error(server_first: str) -> None:
    scram = Scram("sha1", "user", "pencil", nonce="n")
    with pytest.raises(ValueError, match=r"the (server|salt)"):
        scram.take(server_first)
