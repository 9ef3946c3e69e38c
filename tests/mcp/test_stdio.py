"""The server as a process over stdio: pure protocol, clean ends, quick calls beside slow ones."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from support.mcp import BUCKET, Caller, load_of, settles

COMMAND = [sys.executable, "-m", "s3_data_lake_mcp"]
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    },
}
SLOW = "SELECT count(*) FROM range(100000000) a, range(100000000) b"
SOON_SECONDS = 25
"""Half of what a call may take: who waits for one is late, a busy machine is not."""


class RawServer:
    """A server spoken to line by line."""

    def __init__(self, **environment: str) -> None:
        self.process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
            text=True,
            encoding="utf-8",
        )

    def send(self, message: dict[str, Any]) -> None:
        """Send one message."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """Return the next message; every line of standard output must be one."""
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())  # type: ignore[no-any-return] # JSON

    def begin(self) -> dict[str, Any]:
        """Shake hands."""
        self.send(HELLO)
        answer = self.receive()
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answer

    def call(self, number: int, tool: str, **arguments: object) -> None:
        """Send a tool call; its answer comes when it comes."""
        params = {"name": tool, "arguments": arguments, "_meta": {"progressToken": number}}
        self.send({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})

    def answer(self, *numbers: int) -> dict[str, Any]:
        """Return the first answer to one of the requests, passing over all else."""
        while True:
            message = self.receive()
            if message.get("id") in numbers:
                return message

    def end(self) -> tuple[int, str]:
        """Close standard input; return the exit code and what stood on standard error."""
        out, err = self.process.communicate(timeout=SOON_SECONDS)
        assert out == ""
        return self.process.returncode, err


@pytest.fixture
def server(lake_bucket: str) -> Iterator[RawServer]:
    """Return a running server."""
    del lake_bucket
    server = RawServer()
    yield server
    server.process.kill()
    server.process.wait()
    for stream in (server.process.stdin, server.process.stdout, server.process.stderr):
        if stream and not stream.closed:
            stream.close()


def test_nothing_but_protocol_and_a_clean_end(server: RawServer) -> None:
    """No banner, no log, no update check; closing stdin ends it with 0 and no child left."""
    answer = server.begin()
    assert answer["result"]["serverInfo"]["name"] == "s3-data-lake-mcp"
    assert answer["result"]["protocolVersion"] == "2025-06-18"
    server.call(2, "read_csv_from_s3", bucket_name=BUCKET, object_key="orders.csv", max_rows=1)
    assert server.answer(2)["result"]["isError"] is False
    children = psutil.Process(server.process.pid).children(recursive=True)
    assert children
    code, err = server.end()
    assert code == 0
    assert err == ""
    _, alive = psutil.wait_procs(children, timeout=SOON_SECONDS)
    assert not alive


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_the_middle_leaves_nothing(
    lake_bucket: str, tmp_path: Path, number: signal.Signals
) -> None:
    """A server that is told to end while it works ends at once, with all that it started."""
    server = RawServer(TMPDIR=str(tmp_path))
    with server.process:
        server.begin()
        server.call(2, "query_csv_data", bucket_name=lake_bucket, object_key="orders.csv")
        server.answer(2)
        server.call(3, "query_csv_data", bucket_name=lake_bucket, object_key="orders.csv", sql=SLOW)
        assert list(tmp_path.iterdir())
        children = psutil.Process(server.process.pid).children(recursive=True)
        server.process.send_signal(number)
        assert server.process.wait(SOON_SECONDS) == -number
    _, alive = psutil.wait_procs(children, timeout=SOON_SECONDS)
    assert not alive
    assert list(tmp_path.iterdir()) == []


def test_a_slow_call_does_not_hold_up_quick_ones(server: RawServer) -> None:
    """Quick calls are answered while as many scans run as there are places, and then some."""
    server.begin()
    for number in range(10, 16):
        server.call(number, "query_csv_data", bucket_name=BUCKET, object_key="orders.csv", sql=SLOW)
    server.call(2, "list_s3_objects", bucket_name=BUCKET, max_keys=1)
    server.call(3, "read_csv_from_s3", bucket_name=BUCKET, object_key="orders.csv", max_rows=1)
    begun = time.monotonic()
    got = {server.answer(2, 3)["id"], server.answer(2, 3)["id"]}
    assert got == {2, 3}
    assert time.monotonic() - begun < 30


def test_cancelling_stops_the_worker(server: RawServer) -> None:
    """`notifications/cancelled` ends the query: no process goes on computing."""
    server.begin()
    server.call(2, "read_csv_from_s3", bucket_name=BUCKET, object_key="orders.csv", max_rows=1)
    server.answer(2)
    server.call(10, "query_csv_data", bucket_name=BUCKET, object_key="orders.csv", sql=SLOW)
    deadline = time.monotonic() + 20
    while load_of(server.process.pid) < 40 and time.monotonic() < deadline:
        pass
    message = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 10}}
    server.send(message)
    assert settles(server.process.pid)
    server.call(3, "list_s3_objects", bucket_name=BUCKET, max_keys=1)
    assert server.answer(3)["result"]["isError"] is False


def test_a_lone_surrogate_in_a_file_does_not_end_the_server(
    server: RawServer, lake_surrogate: str
) -> None:
    """JSON can spell what no encoding can carry."""
    server.begin()
    for number, tool in enumerate(("read_json_from_s3", "query_csv_data", "get_file_metadata"), 2):
        server.call(number, tool, bucket_name=BUCKET, object_key=lake_surrogate)
        text = json.dumps(server.answer(number), ensure_ascii=False)
        assert "\ud800" not in text
    server.send({"jsonrpc": "2.0", "id": 9, "method": "ping"})
    assert server.answer(9)["result"] == {}


REFUSED = [
    ("resources/read", {"uri": "s3://mcp-lake/not-there.csv"}),
    ("resources/read", {"uri": "s3://no-such-bucket-of-ours/x.csv"}),
    ("resources/read", {"uri": "s3://mcp-lake/"}),
    ("resources/read", {"uri": "s3://B%00/../x"}),
    ("resources/read", {"uri": "lake://nothing"}),
    ("resources/read", {"uri": "no uri"}),
    ("prompts/get", {"name": "nothing"}),
    ("prompts/get", {"name": "profile_dataset"}),
    ("tools/call", {"name": "nothing", "arguments": {}}),
    ("tools/call", {"name": "list_s3_objects", "arguments": {"bucket": 1}}),
    ("tools/call", {"name": "list_s3_objects", "arguments": "x"}),
    ("no/method", {}),
]


def test_what_is_refused_is_logged_as_json_without_a_stack(lake_bucket: str) -> None:
    """A client's mistakes are answered; they are no bugs of the server."""
    del lake_bucket
    server = RawServer(S3_DATA_LAKE_LOG_LEVEL="INFO")
    server.begin()
    for number, (method, params) in enumerate(REFUSED, 2):
        server.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        answer = server.answer(number)
        assert "error" in answer or answer["result"]["isError"], (method, params, answer)
    code, err = server.end()
    assert code == 0
    entries = [json.loads(line) for line in err.splitlines()]
    assert [entry for entry in entries if "exception" in entry] == []
    assert {entry["level"] for entry in entries} <= {"INFO", "WARNING"}


def test_what_a_worker_warns_of_is_logged_as_json(lake_bucket: str, tmp_path: Path) -> None:
    """A folder that the cache cannot be in is named by its setting, in a line like all others."""
    tmp_path.chmod(0o755)
    server = RawServer(S3_DATA_LAKE_CACHE_DIR=str(tmp_path))
    server.begin()
    server.call(2, "query_csv_data", bucket_name=lake_bucket, object_key="orders.csv")
    server.answer(2)
    code, err = server.end()
    assert code == 0
    messages = [json.loads(line)["message"] for line in err.splitlines()]
    assert any(one.startswith("S3_DATA_LAKE_CACHE_DIR ") for one in messages), err


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_both_generations_of_the_protocol(lake_bucket: str, mode: str) -> None:
    """The handshake and 2026-07-28 list and call alike."""
    transport = StdioTransport(COMMAND[0], COMMAND[1:], env=dict(os.environ))
    async with Client(transport, mode=mode) as client:
        assert len(await client.list_tools()) == 8
        answer = await Caller(client)("list_s3_objects", bucket_name=lake_bucket, max_keys=2)
        assert answer.data["count"] == 2


def test_bad_settings_are_told_on_stderr() -> None:
    """The name of the variable and what is wrong with it, never a stack; exit code 2."""
    done = subprocess.run(
        COMMAND,
        env={**os.environ, "S3_DATA_LAKE_MAX_ROWS": "many", "S3_DATA_LAKE_DISABLED_TOOLS": "x"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "S3_DATA_LAKE_MAX_ROWS" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
