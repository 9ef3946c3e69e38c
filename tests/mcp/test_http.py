"""The server over stateless HTTP: any session id, JSON or event streams, guarded on loopback."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil
import pytest
from fastmcp import Client

from s3_data_lake_mcp.server import _is_loopback
from support.mcp import BUCKET, Caller, settles
from support.ports import free_port

JSON_ONLY = {"Accept": "application/json", "Content-Type": "application/json"}
BOTH = {**JSON_ONLY, "Accept": "application/json, text/event-stream"}
SLOW = "SELECT count(*) FROM range(100000000) a, range(100000000) b"


def _call(tool: str, number: int = 1, **arguments: object) -> dict[str, Any]:
    params = {"name": tool, "arguments": arguments, "_meta": {"progressToken": number}}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


def _start() -> tuple[str, subprocess.Popen[bytes]]:
    """Start a server; return its address, when it answers, and its process."""
    port = free_port()
    command = [sys.executable, "-m", "s3_data_lake_mcp", "serve", "--transport", "http"]
    server = subprocess.Popen([*command, "--port", str(port)], env=dict(os.environ))
    base = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{base}/ping", timeout=1)
            break
        except httpx.HTTPError:
            time.sleep(0.1)
    return base, server


@pytest.fixture(scope="module")
def process(lake_bucket: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Return the address of a running server, and its process."""
    del lake_bucket
    base, server = _start()
    yield base, server
    server.send_signal(signal.SIGTERM)
    server.wait(20)


@pytest.fixture
def base(process: tuple[str, subprocess.Popen[bytes]]) -> str:
    """Return the server's address."""
    return process[0]


def test_ping(base: str) -> None:
    """The platform's health check."""
    answer = httpx.get(f"{base}/ping")
    assert (answer.status_code, answer.json()) == (200, {"status": "healthy"})


@pytest.mark.parametrize("session", [None, "unknown", "0f2c5b6e-0000-4000-8000-000000000000"])
@pytest.mark.parametrize("accept", ["application/json", "*/*", ""])
def test_a_client_that_takes_only_json_gets_json(
    base: str, session: str | None, accept: str
) -> None:
    """No handshake before it, any session id."""
    headers = {**JSON_ONLY, "Accept": accept}
    if session:
        headers["Mcp-Session-Id"] = session
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    answer = httpx.post(f"{base}/mcp", headers=headers, json=body)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert len(answer.json()["result"]["tools"]) == 8


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "APPLICATION/JSON; charset=utf-8"},
        {"Accept": "Application/JSON;q=0.5"},
        {"Accept": "application/json, text/event-stream;q=0"},
        {"Accept": "application/json, text/event-stream; Q = 0.000"},
        {"Accept": "application/*, text/html"},
    ],
)
def test_media_types_are_read_as_http_writes_them(base: str, headers: dict[str, str]) -> None:
    """In any case of letters, and what has the weight zero is refused."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    answer = httpx.post(f"{base}/mcp", headers={**JSON_ONLY, **headers}, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    assert len(answer.json()["result"]["tools"]) == 8


def test_other_media_types_are_refused(base: str) -> None:
    """A body or an answer that is not JSON."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    for name, value in (
        ("Content-Type", "text/plain"),
        ("Accept", "text/html, */*;q=0"),
        ("Accept", "*/*;q=0"),
    ):
        answer = httpx.post(f"{base}/mcp", headers={**JSON_ONLY, name: value}, json=body)
        assert 400 <= answer.status_code < 500


@pytest.mark.parametrize("accept", ["text/event-stream", "Text/Event-Stream;q=0.8"])
def test_a_client_that_takes_only_event_streams_gets_one(base: str, accept: str) -> None:
    """With the answer in it."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    answer = httpx.post(f"{base}/mcp", headers={**BOTH, "Accept": accept}, json=body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert len(_messages(answer)[-1]["result"]["tools"]) == 8


@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18", "2025-11-25"])
@pytest.mark.parametrize("headers", [JSON_ONLY, BOTH], ids=["json", "both"])
def test_handshake_versions(base: str, version: str, headers: dict[str, str]) -> None:
    """Each version by handshake is answered as itself."""
    params = {
        "protocolVersion": version,
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    answer = httpx.post(f"{base}/mcp", headers=headers, json=body)
    result = _messages(answer)[-1]["result"]
    assert result["protocolVersion"] == version
    assert result["serverInfo"]["name"] == "s3-data-lake-mcp"


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_both_generations_of_the_protocol(base: str, mode: str) -> None:
    """The handshake and 2026-07-28 list and call alike."""
    async with Client(f"{base}/mcp", mode=mode) as client:
        assert len(await client.list_tools()) == 8
        answer = await Caller(client)(
            "read_csv_from_s3", bucket_name=BUCKET, object_key="orders.csv"
        )
        assert answer.data["returned_rows"] == 100


def _messages(answer: httpx.Response) -> list[dict[str, Any]]:
    if answer.headers["content-type"].startswith("application/json"):
        return [answer.json()]
    lines = answer.text.splitlines()
    return [json.loads(line[5:]) for line in lines if line.startswith("data:") and line[5:].strip()]


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [("Host", "evil.example", 421), ("Origin", "http://evil.example", 403)],
)
@pytest.mark.parametrize("headers", [JSON_ONLY, BOTH], ids=["json", "both"])
def test_foreign_hosts_and_origins_are_refused(
    base: str, header: str, value: str, status: int, headers: dict[str, str]
) -> None:
    """A web page cannot rebind its name to this server."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    answer = httpx.post(f"{base}/mcp", headers={**headers, header: value}, json=body)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8123", 200),
        ("127.0.0.1:8123", 200),
        ("[::1]:8123", 200),
        ("127.0.0.1:8123@evil.example", 421),
        ("localhost:80/x", 421),
        ("localhost:evil.example", 421),
        ("[::1]evil.example", 421),
        ("[::1", 421),
        ("", 421),
    ],
)
def test_a_host_is_a_name_and_a_port_and_nothing_else(base: str, host: str, status: int) -> None:
    """What only begins like this server's name is foreign."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    answer = httpx.post(f"{base}/mcp", headers={**JSON_ONLY, "Host": host}, json=body)
    assert answer.status_code == status


def test_two_clients_with_the_same_request_id(base: str) -> None:
    """Requests are told apart by connection, not by id."""
    bodies = [_call("list_s3_objects", 1, bucket_name=BUCKET, max_keys=n) for n in (1, 2, 3)]
    with httpx.Client() as one, httpx.Client() as two:
        for client in (one, two, one):
            for body in bodies:
                answer = client.post(f"{base}/mcp", headers=JSON_ONLY, json=body)
                count = answer.json()["result"]["structuredContent"]["count"]
                assert count == body["params"]["arguments"]["max_keys"]


@pytest.mark.parametrize("headers", [JSON_ONLY, BOTH], ids=["json", "both"])
def test_a_disconnect_stops_the_worker(
    process: tuple[str, subprocess.Popen[bytes]], headers: dict[str, str]
) -> None:
    """A client that goes away leaves nothing computing."""
    base, server = process
    body = _call("query_csv_data", bucket_name=BUCKET, object_key="orders.csv", sql=SLOW)
    stream = httpx.stream("POST", f"{base}/mcp", headers=headers, json=body, timeout=3)
    with contextlib.suppress(httpx.TimeoutException), stream as answer:
        begun = time.monotonic()
        for _ in answer.iter_raw():
            if time.monotonic() - begun > 3:
                break
    assert settles(server.pid)


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b'"x"', b"\xff\xfe", b"[" * 50_000, b'{"jsonrpc":"2.0","id":1}'],
)
def test_bodies_that_are_no_requests(base: str, body: bytes) -> None:
    """They are refused, and the server goes on."""
    for headers in (JSON_ONLY, BOTH):
        assert httpx.post(f"{base}/mcp", headers=headers, content=body).status_code == 400
    assert httpx.get(f"{base}/ping").status_code == 200


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),  # noqa: S104 - not bound
        ("::", False),
        ("lake.example", False),
    ],
)
def test_which_hosts_are_loopback(host: str, loopback: bool) -> None:  # noqa: FBT001 - a table
    """There foreign hosts are refused; beyond it a warning is logged."""
    assert _is_loopback(host) is loopback


def test_without_a_host_it_binds_loopback(process: tuple[str, subprocess.Popen[bytes]]) -> None:
    """There is no authentication: nobody else may reach it."""
    server = psutil.Process(process[1].pid)
    bound = [c.laddr.ip for c in server.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
    assert bound == ["127.0.0.1"]


def test_a_host_beyond_loopback_is_explicit_and_warned_of(lake_bucket: str) -> None:
    """The address is no machine's own (RFC 5737), so that nothing is bound by the test."""
    del lake_bucket
    command = [sys.executable, "-m", "s3_data_lake_mcp", "serve", "--transport", "http"]
    done = subprocess.run(
        [*command, "--host", "192.0.2.1", "--port", str(free_port())],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode
    assert done.stdout == ""
    entries = [json.loads(line) for line in done.stderr.splitlines()]
    assert (entries[0]["level"], entries[0]["host"]) == ("WARNING", "192.0.2.1")
    assert "without authentication" in entries[0]["message"]
    assert "exception" not in entries[-1]


def test_sigterm_lets_a_running_call_end(
    lake_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform's stop is graceful: the call in flight is answered, and it is no failure."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    base, server = _start()
    sql = "SELECT count(*) FROM range(12000) a, range(12000) b WHERE (a.range * b.range) % 7 = 3"
    body = _call("query_csv_data", bucket_name=lake_bucket, object_key="orders.csv", sql=sql)
    with (
        httpx.Client(timeout=60) as client,
        client.stream("POST", f"{base}/mcp", headers=BOTH, json=body) as stream,
    ):
        time.sleep(0.3)
        server.send_signal(signal.SIGTERM)
        text = "".join(stream.iter_text())
    assert '"isError":false' in text.replace(" ", "")
    assert server.wait(25) == 0
    assert list(tmp_path.iterdir()) == []
