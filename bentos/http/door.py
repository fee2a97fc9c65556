"""Who may ask what: paths, methods, keys and origins, judged before a body is read.

HTTP and Lambda share it. The pages, the service's state and `OPTIONS` need no key.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence

from bentos.replies import HeaderPairs, Reply, RequestError

PAGES = ("/", "/page.js", "/page.css", "/docs", "/openapi.json", "/docs.json")
HEALTH = ("/livez", "/readyz", "/healthz")
METHODS: Mapping[str, str] = {
    "/predict": "POST",
    "/predict_batch": "POST",
    "/explain": "POST",
    "/feedback": "POST",
    "/model": "GET",
    "/metrics": "GET",
    "/schema.json": "GET",
    **dict.fromkeys((*PAGES, *HEALTH), "GET"),
}
OPEN = frozenset({*PAGES, *HEALTH, "/schema.json"})
ANY_ORIGIN = "*"
CORS_SECONDS = 600

Headers = Iterable[tuple[bytes, bytes]]


class Door:
    """Lets requests in or raises what is wrong with them."""

    def __init__(self, *, keys: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        """With `keys`, only who has one is let in; pages of `origins` may read the answers."""
        self._keys = tuple(key.encode() for key in keys)
        self._origins = frozenset(origins)

    @property
    def demands_key(self) -> bool:
        """Whether only those who have a key are answered."""
        return bool(self._keys)

    def admit(self, method: str, path: str, key: bytes | None, paths: Iterable[str]) -> None:
        """Judge what is known before the body; `paths` are those that there are."""
        if path not in paths:
            raise RequestError(404, "not_found", f"there is nothing on this path{_hint(path)}")
        allowed = _allowed(path)
        if method == "OPTIONS":
            return
        if method not in allowed:
            message = f"wanted {METHODS[path]} on this path"
            headers = (("allow", ", ".join(allowed)),)
            raise RequestError(405, "method_not_allowed", message, headers=headers)
        if self._keys and path not in OPEN:
            self._check_key(key)

    def _check_key(self, key: bytes | None) -> None:
        """Compare with every key in constant time."""
        given = key or b""
        matches = [hmac.compare_digest(given, each) for each in self._keys]
        if not any(matches):
            headers = (("www-authenticate", "Bearer"),)
            message = "wanted a valid key in X-API-Key"
            raise RequestError(401, "unauthorized", message, headers=headers)

    def options(self, path: str, headers: Headers = ()) -> Reply:
        """What may be done with a path, and, for a browser, by pages of the asking origin."""
        allow = ", ".join([*_allowed(path), "OPTIONS"])
        reply = Reply(204, b"", (("allow", allow),))
        if not self._lets_read(find_header(headers, b"origin")):
            return reply
        return reply.having(
            (
                ("access-control-allow-methods", allow),
                (
                    "access-control-allow-headers",
                    "authorization, content-type, x-api-key, x-driftline-key",
                ),
                ("access-control-max-age", str(CORS_SECONDS)),
            )
        )

    def cors(self, headers: Headers) -> HeaderPairs:
        """Headers that let a page of an allowed origin read an answer."""
        if not self._origins:
            return ()
        origin = find_header(headers, b"origin")
        if not self._lets_read(origin):
            return (("vary", "Origin"),)
        return (("vary", "Origin"), ("access-control-allow-origin", origin.decode()))

    def _lets_read(self, origin: bytes) -> bool:
        """Whether an origin is allowed; any of them still has to be one of an address."""
        if ANY_ORIGIN in self._origins:
            return origin.isascii() and origin.startswith((b"http://", b"https://"))
        return origin.decode("latin-1") in self._origins


def find_header(headers: Headers, wanted: bytes) -> bytes:
    """A header's value, or nothing."""
    for name, value in headers:
        if name == wanted:
            return value
    return b""


def find_coding(headers: Headers) -> bytes:
    """The body's content coding; a header that is given several times is one list (RFC 9110)."""
    return b", ".join(value for name, value in headers if name == b"content-encoding")


def find_key(headers: Headers) -> bytes | None:
    """The key in `X-API-Key` or `Authorization: Bearer`."""
    for name, value in headers:
        if name == b"x-api-key":
            return value
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return value[7:].strip()
    return None


def _allowed(path: str) -> Sequence[str]:
    return ("GET", "HEAD") if METHODS[path] == "GET" else (METHODS[path],)


def _hint(path: str) -> str:
    """The path that was probably meant: one slash too many, or another case; never the client's."""
    meant = "/" + "/".join(part for part in path.lower().split("/") if part)
    return f"; did you mean {meant}?" if meant in METHODS and meant != path else ""
