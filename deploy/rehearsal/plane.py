"""A stand-in for AgentCore's data plane: checks signatures, adds headers, forwards to the server.

It does what is known of the platform: the URL, SigV4 for the service `bedrock-agentcore`, the
session headers, its own headers, its own errors as JSON-RPC. It does not scale, isolate or limit.
"""

import hmac
import http.client
import json
import re
import threading
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SERVICE = "bedrock-agentcore"
REGION = "eu-west-1"
ARN = f"arn:aws:{SERVICE}:{REGION}:{'1234' * 3}:runtime/s3_data_lake_mcp_rehearsal-AbCdEf1234"
KEYS = {
    "AWS_ACCESS_KEY_ID": "REHEARSAL",
    "AWS_SECRET_ACCESS_KEY": "rehearsed",
    "AWS_SESSION_TOKEN": "token",
}
_SCOPE = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)"
    r"/aws4_request, ?SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
_SESSION = "x-amzn-bedrock-agentcore-runtime-session-id"
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}
_NOT_FORWARDED = {*_HOP_BY_HOP, "host", "authorization", "expect"}


@dataclass(slots=True)
class Seen:
    """What came through."""

    requests: int = 0
    refused: list[str] = field(default_factory=list)
    versions: set[str] = field(default_factory=set)
    qualifiers: set[str] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)
    given_sessions: int = 0
    made_sessions: int = 0


class DataPlane:
    """The stand-in, on a free port of loopback.

    Args:
        port: Where the server listens.
    """

    def __init__(self, port: int) -> None:
        self.seen = Seen()
        self._server = _Server(("127.0.0.1", 0), _Exchange)
        self._server.upstream = ("127.0.0.1", port)
        self._server.seen = self.seen
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    upstream: tuple[str, int]
    seen: Seen

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet: clients hang up without a word."""


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own signature
        """Keep quiet."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.requests += 1
        parts = urlsplit(self.path)
        if unquote(parts.path) != f"/runtimes/{ARN}/invocations":
            self._refuse(404, -32004, f"no such runtime: {parts.path}")
            return
        if wrong := self._wrong_signature(body):
            self._refuse(403, -32002, wrong)
            return
        self.server.seen.qualifiers |= set(parse_qs(parts.query).get("qualifier", ["DEFAULT"]))
        self._forward(body)

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - http.server looks for these names

    def _wrong_signature(self, body: bytes) -> str:
        """Return what is wrong with the signature, computed anew; empty if it is right."""
        found = _SCOPE.fullmatch(self.headers.get("Authorization", ""))
        if not found:
            return "not signed with SigV4"
        if (found["service"], found["region"]) != (SERVICE, REGION):
            return f"signed for {found['service']} in {found['region']}"
        if self.headers.get("X-Amz-Security-Token") != KEYS["AWS_SESSION_TOKEN"]:
            return "no session token"
        names = found["headers"].split(";")
        if "host" not in names:
            return "the host is not signed"
        headers = {name: self.headers.get(name, "") for name in names}
        request = AWSRequest(self.command, f"http://{headers['host']}{self.path}", headers, body)
        request.context["timestamp"] = self.headers.get("X-Amz-Date")
        keys = Credentials(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"])
        auth = SigV4Auth(keys, SERVICE, REGION)
        wanted = auth.signature(
            auth.string_to_sign(request, auth.canonical_request(request)), request
        )
        return "" if hmac.compare_digest(wanted, found["signature"]) else "the signature is wrong"

    def _refuse(self, status: int, code: int, message: str) -> None:
        self.server.seen.refused.append(message)
        error = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}
        body = json.dumps(error).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _platform_headers(self) -> dict[str, str]:
        """Return the request's headers as the platform hands them on."""
        headers = {k.lower(): v for k, v in self.headers.items() if k.lower() not in _NOT_FORWARDED}
        headers = {k: v for k, v in headers.items() if not k.startswith("x-amz-")}
        given = headers.get("mcp-session-id") or headers.get(_SESSION)
        seen = self.server.seen
        seen.given_sessions += bool(given)
        seen.made_sessions += not given
        seen.agents.add(headers.get("user-agent", "").partition("/")[0])
        seen.versions.add(headers.get("mcp-protocol-version", ""))
        session = given or str(uuid.uuid4())
        trace = uuid.uuid4().hex
        return headers | {
            "host": "runtime.internal:8000",
            "mcp-session-id": session,
            _SESSION: session,
            "x-amzn-bedrock-agentcore-runtime-request-id": str(uuid.uuid4()),
            "x-amzn-trace-id": f"Root=1-{trace[:8]}-{trace[8:]};Sampled=1",
            "traceparent": f"00-{trace}-{trace[:16]}-01",
            "baggage": f"session.id={session}",
        }

    def _forward(self, body: bytes) -> None:
        headers = self._platform_headers()
        upstream = http.client.HTTPConnection(*self.server.upstream, timeout=120)
        try:
            upstream.request(self.command, "/mcp", body=body or None, headers=headers)
            answer = upstream.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value)
            self.send_header("Mcp-Session-Id", headers["mcp-session-id"])
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            while piece := answer.read1(1 << 16):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        except ConnectionRefusedError:
            self._refuse(200, -32010, "the server is not up")
        finally:
            upstream.close()
