"""An Azure Function that answers as the service does; it lies at the root of its archive.

Keys are the service's own (`DRIFTLINE_API_KEYS`), not Azure's.
"""

from urllib.parse import unquote, urlsplit

import azure.functions as func

from bentos.sandbox import all_headers, answer, raw_headers

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="{*path}")  # type: ignore[untyped-decorator] # the library is in its lock alone
def predict(req: func.HttpRequest) -> func.HttpResponse:
    """Answer one request."""
    path = unquote(urlsplit(req.url).path)
    reply = answer(req.method, path, req.get_body(), raw_headers(req.headers.items()))
    return func.HttpResponse(reply.body, status_code=reply.status, headers=all_headers(reply))
