"""CRAM-MD5: the example of RFC 2195 §2."""

from restante.sasl.cram_md5 import check_cram_md5, cram_md5_digest

CHALLENGE = b"<1896.697170952@postoffice.reston.mci.net>"
SECRET = b"tanstaaftanstaaf"
DIGEST = bytes.fromhex("b913a602c7eda7a495b4e6e7334d3890")


def test_the_example_of_the_rfc() -> None:
    """conformance: 2195-S-02"""
    assert cram_md5_digest(CHALLENGE, SECRET) == DIGEST


def test_a_digest_is_checked() -> None:
    assert check_cram_md5(CHALLENGE, SECRET, DIGEST)
    assert not check_cram_md5(CHALLENGE, SECRET, DIGEST[:-1] + b"\0")
    assert not check_cram_md5(CHALLENGE, SECRET, b"")
    assert not check_cram_md5(CHALLENGE, SECRET + b"f", DIGEST)
    assert not check_cram_md5(CHALLENGE[1:], SECRET, DIGEST)
