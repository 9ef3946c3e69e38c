"""Composition root: a lake, the MCP server over it, and its two transports."""

import contextlib
import difflib
import ipaddress
import logging
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import anyio
from fastmcp import FastMCP
from fastmcp.exceptions import ToolError
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext

from s3_data_lake_mcp.errors import InvalidArgumentError, LakeError
from s3_data_lake_mcp.fence import scrub
from s3_data_lake_mcp.lake import Lake
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.tools import guides
from s3_data_lake_mcp.tools.registry import enabled, register
from s3_data_lake_mcp.tools.words import clip, error_lines
from s3_data_lake_mcp.workers.process import remove_socket

if TYPE_CHECKING:
    from starlette.applications import Starlette

_LOGGER = logging.getLogger(__name__)
_GRACEFUL_SECONDS = 20
_LIST_TTL_SECONDS = 300
_SHOWN_CHARS = 100
_MOST_BYTES = 1_000


class _WarmUp(Middleware):
    """Loads what the first call will need, once the client has its list of tools."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._begun = False

    async def on_list_tools(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:  # noqa: ANN401 - the framework's own signature
        """Answer first, then warm up in the background."""
        answer = await call_next(context)
        if not self._begun:
            self._begun = True
            threading.Thread(target=self._warm, name="warm-up", daemon=True).start()
        return answer

    def _warm(self) -> None:
        try:
            self._lake.workers.warm()
            self._lake.store.warm()
        except (LakeError, OSError) as exc:
            # The first call will meet the same, and say so to its client.
            _LOGGER.info("warm-up failed", extra={"reason": str(exc)})


class _KnownTools(Middleware):
    """Refuses what is no tool of this server, or is switched off, as tools refuse arguments."""

    def __init__(self, lake: Lake) -> None:
        self._names = enabled(lake.settings)

    async def on_call_tool(
        self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]
    ) -> Any:  # noqa: ANN401 - the framework's own signature
        """Call a tool that there is.

        Raises:
            ToolError: With the contract's error text, and the nearest name.
        """
        if (name := context.message.name) in self._names:
            return await call_next(context)
        near = difflib.get_close_matches(name.lower(), self._names, 1, 0.5)
        hint = f"Did you mean {near[0]}?" if near else f"The tools are {', '.join(self._names)}."
        error = InvalidArgumentError(f"{clip(scrub(name), _SHOWN_CHARS)} is an unknown tool")
        raise ToolError("\n".join(error_lines(error, hint, _MOST_BYTES)), log_level=logging.INFO)


def build_server(lake: Lake) -> FastMCP:
    """Return the MCP server: eight tools, resources, prompts and instructions."""
    server = FastMCP(
        "s3-data-lake-mcp",
        version=guides.version(),
        instructions=guides.instructions(lake.settings),
        middleware=[_WarmUp(lake), _KnownTools(lake)],
        mask_error_details=True,
        on_duplicate="error",
        cache_ttl=_LIST_TTL_SECONDS,
    )
    register(server, lake)
    guides.add_resources(server, lake)
    guides.add_prompts(server, lake.settings)
    return server


def serve_stdio(settings: Settings) -> int:
    """Serve one client over standard input and output until it closes them."""
    # The framework's own handling waits for standard input to close.
    _end_at(signal.SIGINT, signal.SIGTERM)
    with contextlib.closing(Lake.connect(settings)) as lake:
        server = build_server(lake)
        anyio.run(lambda: server.run_stdio_async(show_banner=False))
    return 0


def build_app(lake: Lake, *, host: str) -> "Starlette":
    """Return the stateless HTTP application: `/mcp` and `/ping`.

    A client that accepts event streams gets them, with progress; any other gets plain JSON.
    """
    from s3_data_lake_mcp.transport import negotiate  # noqa: PLC0415 - stdio starts without it

    return negotiate(build_server(lake), guard=_is_loopback(host))


def serve_http(settings: Settings, *, host: str, port: int) -> int:
    """Serve HTTP until SIGTERM or SIGINT; running calls get time to end."""
    import uvicorn  # noqa: PLC0415 - stdio starts without it
    from sse_starlette.sse import AppStatus  # noqa: PLC0415 - as above

    # By itself it cuts the streams at the first signal, and calls in flight with them.
    AppStatus.enable_automatic_graceful_drain = False

    if not _is_loopback(host):
        _LOGGER.warning("listening beyond loopback without authentication", extra={"host": host})
    with contextlib.closing(Lake.connect(settings)) as lake:
        config = uvicorn.Config(
            build_app(lake, host=host),
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=_GRACEFUL_SECONDS,
        )
        # It raises the signal anew when it has stopped: that is no failure.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        listener = uvicorn.Server(config)
        try:
            listener.run()
        except SystemExit as exc:
            if exc.code and not listener.started:
                _LOGGER.error("HTTP was not served: give another --port or --host")  # noqa: TRY400 - the reason is logged
            raise
    return 0


def _end_at(*numbers: signal.Signals) -> None:
    """Let signals end the process at once, as they do by themselves, but leave no file behind."""

    def end(number: int, _: object) -> None:
        remove_socket()
        signal.signal(number, signal.SIG_DFL)
        signal.raise_signal(number)

    for number in numbers:
        signal.signal(number, end)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
