"""Stands in for the host of Azure Functions, which comes in no package of Python's index.

It runs by itself, in an environment that has Azure's own library and nothing of this project but
`function_app.py` in the current folder. As Azure's worker does, it asks the app for its functions,
and lets the library's own converters make the request and read the answer. Routes and keys, which
are the host's own work, it does not judge: every request goes to the one function that there is.
"""

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any

from azure.functions.http import HttpRequestConverter, HttpResponseConverter
from azure.functions.meta import Datum


class _Host(BaseHTTPRequestHandler):
    """Carries HTTP to the function and back."""

    function: Any

    def _carry(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        reply = HttpResponseConverter.encode(
            type(self).function(_request(self, self.rfile.read(length))), expected_type=None
        ).value
        body = reply["body"].value
        self.send_response(int(reply["status_code"].value))
        for name, value in reply["headers"].items():
            self.send_header(name, value.value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_OPTIONS = do_PUT = do_PATCH = do_DELETE = _carry  # noqa: N815 - http.server's names

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _request(host: BaseHTTPRequestHandler, body: bytes) -> Any:
    """What the host hands to the worker."""
    address = f"http://{host.headers.get('host')}{host.path}"
    data = {
        "method": Datum(host.command, "string"),
        "url": Datum(address, "string"),
        "headers": {name.lower(): Datum(v, "string") for name, v in host.headers.items()},
        "query": {},
        "params": {"path": Datum(host.path.lstrip("/"), "string")},
        "body": Datum(body, "bytes"),
    }
    return HttpRequestConverter.decode(Datum(data, "http"), trigger_metadata={})


def main() -> None:
    """Serve the one function of `function_app` on a port of this machine."""
    sys.path.insert(0, "")
    (function,) = import_module("function_app").app.get_functions()
    _Host.function = staticmethod(function.get_user_function())
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _Host).serve_forever()


if __name__ == "__main__":
    main()
