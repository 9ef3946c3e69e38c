"""Stateless HTTP: one endpoint that answers JSON or an event stream, as the client accepts."""

import contextlib
import re
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import anyio
from fastmcp import FastMCP
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

_LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "::1", "[::1]"]
_HOST = re.compile(rb"(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d*)?", re.IGNORECASE)
_LARGEST_BODY_BYTES = 4 << 20
_JSON_KINDS = {b"application/json", b"application/*", b"*/*"}
_REFUSED = re.compile(rb"q\s*=\s*0(?:\.0*)?")


async def _ping(_: Request) -> JSONResponse:
    return JSONResponse({"status": "healthy"})


def negotiate(server: FastMCP, *, guard: bool) -> Starlette:
    """Return an application that serves `POST /mcp` and `GET /ping`.

    With a `guard`, foreign `Host` and `Origin` headers are refused (DNS rebinding).
    """
    options: dict[str, Any] = {
        "path": "/mcp",
        "stateless_http": True,
        "host_origin_protection": guard,
        "allowed_hosts": _LOOPBACK_HOSTS if guard else None,
    }
    streaming = server.http_app(json_response=False, **options)
    plain = server.http_app(json_response=True, **options)

    chosen = _ByAccept(streaming, plain)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with streaming.lifespan(streaming), plain.lifespan(plain):
            yield

    return Starlette(
        routes=[Route("/ping", _ping), Mount("/", _ExactHost(chosen) if guard else chosen)],
        lifespan=lifespan,
    )


class _ExactHost:
    """Refuses a `Host` that is more than `host[:port]`: the framework looks at its beginning."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) == 1 and _HOST.fullmatch(hosts[0]):
            await self._app(scope, receive, send)
        else:
            await Response("Misdirected Request", status_code=421)(scope, receive, send)


class _ByAccept:
    """Chooses between the two forms of an answer."""

    def __init__(self, streaming: ASGIApp, plain: ASGIApp) -> None:
        self._streaming = streaming
        self._plain = plain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        accept = b",".join(value for name, value in scope["headers"] if name == b"accept")
        kinds = _accepted(accept)
        if b"text/event-stream" in kinds:
            # The framework wants to see both, also where none but the stream is taken.
            both = _accepting(scope, b"application/json, text/event-stream")
            await self._streaming(both, receive, send)
            return
        wanted = b"application/json" if not accept or kinds & _JSON_KINDS else b", ".join(kinds)
        await _until_disconnect(self._plain, _accepting(scope, wanted), receive, send)


def _accepted(accept: bytes) -> set[bytes]:
    """Return the media types that a header lists, but for those that it refuses by `q=0`."""
    parts = ([p.strip() for p in part.split(b";")] for part in accept.lower().split(b","))
    return {kind for kind, *options in parts if not any(map(_REFUSED.fullmatch, options))}


def _accepting(scope: Scope, accept: bytes) -> Scope:
    """Return a request that accepts this, its media type written as the framework compares it."""
    rest = [
        (name, value.lower() if name == b"content-type" else value)
        for name, value in scope["headers"]
        if name != b"accept"
    ]
    return {**scope, "headers": [*rest, (b"accept", accept)]}


async def _until_disconnect(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run a plain JSON exchange, and cancel it when its client goes away."""
    messages: list[MutableMapping[str, Any]] = []
    size, more = 0, True
    while more and size <= _LARGEST_BODY_BYTES:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        more = bool(message.get("more_body"))

    async with anyio.create_task_group() as group:
        gone = anyio.Event()

        async def replay() -> MutableMapping[str, Any]:
            if messages:
                return messages.pop(0)
            if more:
                return await receive()
            await gone.wait()
            return {"type": "http.disconnect"}

        async def watch() -> None:
            while not more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    gone.set()
                    group.cancel_scope.cancel()
                    return

        group.start_soon(watch)
        await app(scope, replay, send)
        group.cancel_scope.cancel()
