"""The container's process, started as the image starts it, in a network of its own."""

import contextlib
import fcntl
import socket
import struct
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
import psutil

from rehearsal.dockerfile import Image

PORT = 8000
BASE = f"http://127.0.0.1:{PORT}"
MODERN = "2026-07-28"
LIMIT_SECONDS = 120
"""What AgentCore allows for a start."""
_OBSERVED = {
    "AGENT_OBSERVABILITY_ENABLED": "true",
    "OTEL_LOGS_EXPORTER": "none",
    "OTEL_METRICS_EXPORTER": "none",
    "OTEL_TRACES_EXPORTER": "none",
}
"""As in AgentCore, but that nothing is sent: there is nobody to take it."""
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1


def loopback_up() -> None:
    """Switch the loopback interface on: a new network namespace has it off."""
    with socket.socket() as any_socket:
        name = struct.pack("16sh", b"lo", 0)
        flags = struct.unpack("16sh", fcntl.ioctl(any_socket, _GET_FLAGS, name))[1]
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh", b"lo", flags | _UP))


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The running process, and how long it took to answer."""

    process: subprocess.Popen[bytes]
    seconds: float

    @property
    def cpu_seconds(self) -> float:
        """How much computing it took so far: what a busy machine does not falsify."""
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system


@contextlib.contextmanager
def running(image: Image, lake: Mapping[str, str]) -> Iterator[Started]:
    """Run the image's CMD until the context is left.

    Args:
        image: The image.
        lake: The environment's part that leads to the data.
    """
    settings = {name: value for name, value in lake.items() if name.startswith("AWS_")}
    environment = image.environment(**settings, **_OBSERVED)
    began = time.monotonic()
    process = subprocess.Popen(image.command(), env=environment, cwd=environment["HOME"])
    try:
        while not _answers():
            if process.poll() is not None or time.monotonic() - began > LIMIT_SECONDS:
                message = f"the server did not come up (exit code {process.poll()})"
                raise RuntimeError(message)
            time.sleep(0.02)
        yield Started(process=process, seconds=time.monotonic() - began)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _answers() -> bool:
    try:
        return httpx.get(f"{BASE}/ping", timeout=2).is_success
    except httpx.TransportError:
        return False


def ask(
    method: str, params: Mapping[str, Any] | None = None, **headers: str
) -> tuple[int, dict[str, Any]]:
    """Send a JSON-RPC request as a probe does: JSON alone is accepted.

    Returns:
        The status and the answer.
    """
    body: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": method}
    if params is not None:
        body["params"] = params
    sent = {"Accept": "application/json"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = httpx.post(f"{BASE}/mcp", json=body, headers={**sent, **named}, timeout=60)
    return answer.status_code, answer.json() if answer.content else {}


def handshake() -> dict[str, Any]:
    """Return the parameters of `initialize`."""
    return {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "rehearsal", "version": "1"},
    }


def modern() -> dict[str, Any]:
    """Return the parameters of a request of the newer protocol, which has no handshake."""
    prefix = "io.modelcontextprotocol"
    meta = {f"{prefix}/protocolVersion": MODERN, f"{prefix}/clientCapabilities": {}}
    return {"_meta": meta}
