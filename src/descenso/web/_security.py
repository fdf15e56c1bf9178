"""What every request must be, and what every answer carries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
LONGEST_QUERY = 8_000  # letters
LARGEST_BODY = 20_000  # bytes

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-cache",
}


class Guard:
    """Refuses requests that a page of another site could have caused, and adds secure headers.

    A site that points its own name at 127.0.0.1 (DNS rebinding) is told by the Host header. A form
    or a script of another site cannot set the header that changes ask for.
    """

    def __init__(self, app: Any, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = {host.lower().strip("[]") for host in hosts}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                message["headers"] = headers.raw
            await send(message)

        refusal = self._refusal(scope)
        answer = PlainTextResponse(*refusal) if refusal else self._app
        await answer(scope, receive, send_with_headers)

    def _refusal(self, scope: Any) -> tuple[str, int] | None:
        headers = Headers(scope=scope)
        if _name_of(headers.get("host", "")) not in self._hosts:
            return "This server does not answer to that host name.", 421
        if len(scope.get("query_string", b"")) > LONGEST_QUERY:
            return "The address is too long.", 414
        if scope["method"] in ("GET", "HEAD"):
            return None
        origin = headers.get("origin")
        if origin is not None and _name_of(origin.partition("://")[2]) not in self._hosts:
            return "Changes are taken from this server's own pages alone.", 403
        if headers.get("x-descenso") != "1":
            return "Changes are taken from this server's own pages alone.", 403
        if "transfer-encoding" in headers:
            return "The request must say how long it is.", 411
        if not headers.get("content-length", "0").isdecimal():
            return "The request is not understood.", 400
        if int(headers.get("content-length", "0")) > LARGEST_BODY:
            return "The request is too large.", 413
        return None


def _name_of(host: str) -> str:
    """Return a Host header's name without its port."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
