"""A Google Cloud Function that answers as the service does; it lies at the root of its archive."""

from typing import Any

from bentos.sandbox import all_headers, answer, raw_headers


def predict(request: Any) -> tuple[bytes, int, dict[str, str]]:
    """Answer one request, which comes and leaves in Flask's form."""
    headers = raw_headers(request.headers.items(), "latin-1")  # as WSGI has decoded them
    reply = answer(request.method, request.path, request.get_data(), headers)
    return reply.body, reply.status, all_headers(reply)
