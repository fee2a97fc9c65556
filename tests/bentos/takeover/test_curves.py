"""Signatures of elliptic curves, held against the library that everybody uses."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from bentos.takeover.curves import CURVES, PublicKey, is_signed, parse_public_key
from tests.bentos.takeover.signing import pem_of

KINDS = [
    (ec.SECP256R1(), hashes.SHA256()),
    (ec.SECP384R1(), hashes.SHA384()),
    (ec.SECP521R1(), hashes.SHA512()),
]
PRIVATE = [ec.generate_private_key(curve) for curve, _ in KINDS]
WHICH = st.sampled_from(range(len(KINDS)))


def key_of(which: int) -> PublicKey:
    return parse_public_key(pem_of(PRIVATE[which].public_key()))


def sign(which: int, message: bytes) -> bytes:
    return PRIVATE[which].sign(message, ec.ECDSA(KINDS[which][1]))


SIGNED = [sign(which, b"it") for which in range(len(KINDS))]


def is_signed_by_library(message: bytes, signature: bytes, which: int) -> bool:
    try:
        PRIVATE[which].public_key().verify(signature, message, ec.ECDSA(KINDS[which][1]))
    except InvalidSignature:
        return False
    return True


@settings(max_examples=30)
@given(WHICH, st.binary(max_size=200), st.binary(max_size=200))
def test_only_the_message_that_was_signed_is_signed(
    which: int, message: bytes, other: bytes
) -> None:
    signature = sign(which, message)

    assert is_signed(message, signature, key_of(which))
    assert is_signed(other, signature, key_of(which)) == (other == message)


@settings(max_examples=10)
@given(WHICH)
def test_another_key_of_the_same_curve_signed_nothing(which: int) -> None:
    other = ec.generate_private_key(KINDS[which][0]).sign(b"it", ec.ECDSA(KINDS[which][1]))

    assert not is_signed(b"it", other, key_of(which))


@given(WHICH, st.data())
def test_a_signature_that_is_spelt_otherwise_is_judged_as_the_library_does(
    which: int, data: st.DataObject
) -> None:
    signature = bytearray(SIGNED[which])
    place = data.draw(st.integers(0, 12) | st.integers(0, len(signature) - 1))
    kind = data.draw(st.sampled_from(["changed", "inserted", "left out", "cut off", "longer"]))
    if kind == "changed":
        signature[place] = data.draw(st.integers(0, 255))
    elif kind == "inserted":
        signature.insert(place, data.draw(st.sampled_from([0, 0x80, 0x81, 1])))
    elif kind == "left out":
        del signature[place]
    elif kind == "cut off":
        del signature[place:]
    else:
        signature += bytes([data.draw(st.integers(0, 255))])

    found = is_signed(b"it", bytes(signature), key_of(which))

    assert found == is_signed_by_library(b"it", bytes(signature), which)


@pytest.mark.parametrize("which", range(len(KINDS)))
def test_numbers_that_no_signature_holds_are_refused(which: int) -> None:
    n = CURVES[which].n
    r, s = decode_dss_signature(sign(which, b"it"))
    for forged in ((0, 0), (0, s), (r, 0), (n, s), (r, n), (r + n, s), (r, s + n), (1, 1)):
        signature = encode_dss_signature(*forged)
        assert not is_signed(b"it", signature, key_of(which))
        assert not is_signed_by_library(b"it", signature, which)
    assert is_signed(b"it", encode_dss_signature(r, n - s), key_of(which))  # ECDSA's own twin


def test_a_key_may_stand_in_one_line() -> None:
    pem = pem_of(PRIVATE[0].public_key())

    for spelt in (pem.replace("\n", ""), pem.replace("\n", " "), pem.replace("\n", "\\n")):
        assert parse_public_key(spelt) == key_of(0)


def spelt(key: rsa.RSAPublicKey | ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey) -> str:
    how = form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(*how).decode()


OTHERS = {
    "nothing": "",
    "RSA": spelt(rsa.generate_private_key(65537, 2048).public_key()),
    "Ed25519": spelt(ed25519.Ed25519PrivateKey.generate().public_key()),
    "another curve": spelt(ec.generate_private_key(ec.SECP256K1()).public_key()),
    "a private key": PRIVATE[0]
    .private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    .decode(),
    "off the curve": pem_of(PRIVATE[0].public_key())[:-34] + "AAAA\n-----END PUBLIC KEY-----\n",
    "no base64": "-----BEGIN PUBLIC KEY-----\n???\n-----END PUBLIC KEY-----",
}


@pytest.mark.parametrize("pem", OTHERS.values(), ids=OTHERS.keys())
def test_any_other_key_is_refused(pem: str) -> None:
    with pytest.raises(ValueError, match="wanted the public key of an elliptic curve"):
        parse_public_key(pem)
