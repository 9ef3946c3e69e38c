"""The processes of a benchmark: the stand-in, and the sides that read from it."""

import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Self
from urllib.parse import urlsplit

from bed import PROFILES

HERE: Final = Path(__file__).parent
_SETTLE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SideKind:
    """A side: its script, and whether that has an environment of its own (PEP 723).

    A `harness` only drives what is measured, which runs in its child processes. A side that keeps
    nothing from run to run is not run a second time: its second run is its first. `folder` gives it
    one for a cache on disk.
    """

    name: str
    title: str
    script: str
    own_environment: bool = False
    harness: bool = False
    keeps: bool = True
    folder: bool = False


SIDES: Final = {
    side.name: side
    for side in (
        SideKind(name="server", title="this server", script="mcp_server.py", harness=True),
        SideKind(
            name="disk",
            title="with a cache on disk",
            script="mcp_server.py",
            harness=True,
            folder=True,
        ),
        SideKind(name="engine", title="its engine alone", script="engine_direct.py"),
        SideKind(name="whole", title="whole object, pandas", script="whole_object.py", keeps=False),
        SideKind(
            name="httpfs", title="DuckDB httpfs", script="duckdb_httpfs.py", own_environment=True
        ),
        SideKind(name="polars", title="polars", script="polars_lazy.py", own_environment=True),
        SideKind(name="boto3", title="boto3 by hand", script="plain_boto3.py", keeps=False),
        SideKind(name="local", title="DuckDB, local file", script="local_file.py"),
    )
}


class BedProcess:
    """The running stand-in."""

    def __init__(self, root: Path, profile: str) -> None:
        self.root = root
        self._profile = profile
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "bed.py"), "--root", str(root), "--profile", profile],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        self.endpoint = self._process.stdout.readline().strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def _control(self, method: str, path: str) -> dict[str, Any]:
        connection = HTTPConnection(urlsplit(self.endpoint).netloc)
        connection.request(method, path)
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def reset(self) -> None:
        """Count from zero."""
        self._control("POST", "/__reset")

    def profile(self, name: str) -> None:
        """Change latency and bandwidth."""
        latency_ms, rate_mb = PROFILES[name]
        self._control("POST", f"/__profile?latency_ms={latency_ms}&rate_mb={rate_mb}")

    def stats(self) -> dict[str, Any]:
        """Return the counts, once what was asked for has been sent or given up."""
        deadline = time.monotonic() + _SETTLE_SECONDS
        while (stats := self._control("GET", "/__stats"))["in_flight"]:
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        return stats


def environment(bed: BedProcess) -> dict[str, str]:
    """Return the environment of a side: the stand-in as S3, and none of the user's settings."""
    own = ("AWS_", "S3_DATA_LAKE_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    return kept | {
        "AWS_ENDPOINT_URL_S3": bed.endpoint,
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "BENCH_ROOT": str(bed.root),
        "PYTHONPATH": str(HERE),
    }


def interpreter(kind: SideKind) -> str:
    """Return the Python that runs a side, its environment made if it has one of its own."""
    if not kind.own_environment:
        return sys.executable
    uv = shutil.which("uv")
    if uv is None:
        message = "uv is needed for the environments of the other sides"
        raise RuntimeError(message)
    script = str(HERE / "sides" / kind.script)
    subprocess.run([uv, "sync", "--quiet", "--script", script], check=True, cwd=HERE)
    found = subprocess.run(
        [uv, "python", "find", "--script", script],
        check=True,
        cwd=HERE,
        capture_output=True,
        text=True,
    )
    return found.stdout.strip()


class SideError(Exception):
    """The side gave no answer: it failed, took too long, or ended."""


class UnsupportedError(Exception):
    """The side has no way to do what it was asked."""


class Side:
    """A running side."""

    def __init__(self, kind: SideKind, bed: BedProcess, timeout_seconds: float = 180) -> None:
        self.kind = kind
        self._timeout = timeout_seconds
        self._folder = TemporaryDirectory(prefix="s3-data-lake-bench-") if kind.folder else None
        settings = {"S3_DATA_LAKE_CACHE_DIR": self._folder.name} if self._folder else {}
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [interpreter(kind), str(HERE / "sides" / kind.script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(bed) | settings,
            bufsize=0,
        )
        self.versions: Mapping[str, str] = self._read()["versions"]
        self.start_seconds = time.perf_counter() - began

    @property
    def pid(self) -> int:
        """The process to measure."""
        return self._process.pid

    def ask(self, request: Mapping[str, Any]) -> tuple[float, Any]:
        """Send a request and return the seconds that it took, and the answer.

        Raises:
            UnsupportedError: If the side has no way to do this.
            SideError: If it failed; it still runs, unless it ended or took too long.
        """
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise SideError(f"ended before the request: {error}") from error
        reply = self._read()
        if "unsupported" in reply:
            raise UnsupportedError(reply["unsupported"])
        if "error" in reply:
            raise SideError(reply["error"])
        return float(reply["seconds"]), reply["answer"]

    def _read(self) -> dict[str, Any]:
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - a pipe was asked for
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([stdout], [], [], self._timeout)
            part = os.read(stdout.fileno(), 1 << 20) if ready else b""
            if not part:
                self.stop()
                why = "ended" if ready else f"no answer in {self._timeout:g} s"
                raise SideError(f"{self.kind.name}: {why}")
            line += part
        reply: dict[str, Any] = json.loads(line)
        return reply

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it: it leaves when its input closes."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._folder:
            self._folder.cleanup()
