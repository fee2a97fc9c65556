"""Whether a public key made a signature: ECDSA over NIST's curves P-256, P-384 and P-521.

By FIPS 186-5 (section 6.4.2) with the parameters of SP 800-186, each curve with the digest that
Sigstore pairs it with. Verifying handles nothing secret, so plain integers do, and what is served
installs no library for it. Nothing here may ever sign.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass

Point = tuple[int, int] | None  # None is the point at infinity
INTEGER, SEQUENCE = 0x02, 0x30  # tags of DER (X.690)
HIGH_BIT, ONE_LENGTH_BYTE = 0x80, 0x81
PEM_HEAD, PEM_TAIL = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"
KEY_WANTED = "wanted the public key of an elliptic curve (P-256, P-384 or P-521) as PEM"


@dataclass(frozen=True)
class Curve:
    """y² = x³ - 3x + b over the field of p, with a generator of order n."""

    head: bytes  # of a public key in DER, up to its coordinates
    digest: str
    p: int
    b: int
    n: int
    generator: tuple[int, int]

    @property
    def size(self) -> int:
        """Bytes of a coordinate."""
        return (self.p.bit_length() + 7) // 8


def _curve(head: str, digest: str, p: int, *hexadecimal: str) -> Curve:
    b, n, x, y = (int(number, 16) for number in hexadecimal)
    return Curve(bytes.fromhex(head), digest, p, b, n, (x, y))


CURVES = (
    _curve(
        "3059301306072a8648ce3d020106082a8648ce3d03010703420004",
        "sha256",
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    ),
    _curve(
        "3076301006072a8648ce3d020106052b8104002203620004",
        "sha384",
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
        "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7",
        "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
    ),
    _curve(
        "30819b301006072a8648ce3d020106052b810400230381860004",
        "sha512",
        2**521 - 1,
        "51953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
        "1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
        "c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66",
        "11839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650",
    ),
)


@dataclass(frozen=True)
class PublicKey:
    """A point of a curve, whose discrete logarithm somebody keeps."""

    curve: Curve
    point: tuple[int, int]


def parse_public_key(pem: str) -> PublicKey:
    """Read a public key as OpenSSL writes it; its lines may be one. `ValueError` for any other."""
    body = pem.replace("\\n", "\n").strip()
    if not (body.startswith(PEM_HEAD) and body.endswith(PEM_TAIL)):
        raise ValueError(KEY_WANTED)
    text = "".join(body[len(PEM_HEAD) : -len(PEM_TAIL)].split())
    try:
        der = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError(KEY_WANTED) from None
    for curve in CURVES:
        rest = der.removeprefix(curve.head)
        if len(rest) == 2 * curve.size and len(rest) < len(der):
            point = _to_number(rest[: curve.size]), _to_number(rest[curve.size :])
            if _is_on(curve, point):
                return PublicKey(curve, point)
    raise ValueError(KEY_WANTED)


def is_signed(message: bytes, signature: bytes, key: PublicKey) -> bool:
    """Whether the owner of the key signed the message; `signature` is r and s in DER."""
    curve = key.curve
    try:
        r, s = _parse_signature(signature)
    except ValueError:
        return False
    if not (0 < r < curve.n and 0 < s < curve.n):
        return False
    digest = _to_number(hashlib.new(curve.digest, message).digest())  # never longer than n
    inverse = pow(s, -1, curve.n)
    found = _combine(curve, digest * inverse % curve.n, r * inverse % curve.n, key.point)
    return found is not None and found[0] % curve.n == r


def _combine(curve: Curve, one: int, other: int, point: Point) -> Point:
    """`one` times the generator, plus `other` times the point."""
    summands = {
        (1, 0): curve.generator,
        (0, 1): point,
        (1, 1): _add(curve, curve.generator, point),
    }
    total: Point = None
    for place in reversed(range(curve.n.bit_length())):
        total = _add(curve, total, total)
        bits = one >> place & 1, other >> place & 1
        if bits != (0, 0):
            total = _add(curve, total, summands[bits])
    return total


def _add(curve: Curve, one: Point, other: Point) -> Point:
    if one is None or other is None:
        return other if one is None else one
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % curve.p == 0:
        return None
    rise, run = (3 * x1 * x1 - 3, 2 * y1) if one == other else (y2 - y1, x2 - x1)
    slope = rise * pow(run, -1, curve.p) % curve.p
    x = (slope * slope - x1 - x2) % curve.p
    return x, (slope * (x1 - x) - y1) % curve.p


def _is_on(curve: Curve, point: tuple[int, int]) -> bool:
    x, y = point
    is_reduced = x < curve.p and y < curve.p
    return is_reduced and (y * y - (x * x * x - 3 * x + curve.b)) % curve.p == 0


def _parse_signature(signature: bytes) -> tuple[int, int]:
    numbers, rest = _read_der(signature, SEQUENCE)
    first, after = _read_der(numbers, INTEGER)
    second, end = _read_der(after, INTEGER)
    if rest or end:
        message = "more than a signature"
        raise ValueError(message)
    return _read_integer(first), _read_integer(second)


def _read_der(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the value that comes first, and what follows it; each length in one way."""
    found, length, *more = [*data[:3], 0, 0][:3]
    start = 2
    if length == ONE_LENGTH_BYTE and more[0] >= HIGH_BIT:
        start, length = 3, more[0]
    elif length >= HIGH_BIT:
        length = len(data)  # more than a signature has
    if found != tag or len(data) < start + length:
        message = f"wanted a whole value of the tag {tag}"
        raise ValueError(message)
    return data[start : start + length], data[start + length :]


def _read_integer(content: bytes) -> int:
    """A positive integer without superfluous bytes."""
    is_padded = len(content) > 1 and content[0] == 0 and content[1] < HIGH_BIT
    if not content or content[0] >= HIGH_BIT or is_padded:
        message = "wanted a positive integer"
        raise ValueError(message)
    return _to_number(content)


def _to_number(content: bytes) -> int:
    return int.from_bytes(content, "big")
