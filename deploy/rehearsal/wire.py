"""The container behind a fake data plane, asked by the clients that people use.

Run by `deploy/rehearse.py wire` in a network namespace, as the CMD binds 0.0.0.0:8000 there.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastmcp import Client
from fastmcp.client.transports import StdioTransport

from rehearsal.container import (
    LIMIT_SECONDS,
    MODERN,
    Started,
    ask,
    handshake,
    loopback_up,
    modern,
    running,
)
from rehearsal.dockerfile import ROOT, Image
from rehearsal.plane import ARN, KEYS, REGION, SERVICE, DataPlane
from rehearsal.telling import check, say
from s3_data_lake_mcp.demo.lake import DemoLake

TOOLS = 8
SECONDS = 3.0
SLOW_SQL = "SELECT count(*) FROM range(40000) a, range(40000) b WHERE (a.range * b.range) % 7 = 3"
EXAMPLES = ROOT / "examples"


def main() -> None:
    """Start, ask, stop; end with 1 at the first thing that is not as it should be."""
    if "REHEARSAL_OWN_NETWORK" in os.environ:
        loopback_up()
    image = Image(Path(sys.argv[1]))
    with DemoLake() as lake:
        lake.wait()
        with running(image, lake.environment()) as started, DataPlane(8000) as plane:
            cold_start(image, started)
            behind_the_plane(plane)
            stdio(image, lake.environment())
            stop(started)


def cold_start(image: Image, started: Started) -> None:
    """The platform's probes, and what a client asks first."""
    say("cold start")
    began = time.monotonic()
    status, answer = ask("ping")
    check(status == 200 and answer["result"] == {}, "ping, JSON alone accepted")
    status, answer = ask("initialize", handshake())
    check(answer["result"]["protocolVersion"] == "2025-11-25", "initialize")
    headers = {"MCP_Protocol_Version": MODERN, "Mcp_Method": "server/discover"}
    status, answer = ask("server/discover", modern(), **headers)
    check(MODERN in answer["result"]["supportedVersions"], "server/discover, 2026-07-28")
    status, answer = ask("tools/list", Mcp_Session_Id="never-seen-before")
    check(len(answer["result"]["tools"]) == TOOLS, "tools/list, in an unknown session")
    seconds = started.seconds + time.monotonic() - began
    used = started.cpu_seconds
    check(used < SECONDS, f"all that in {used:.2f} s of computing")
    check(seconds < LIMIT_SECONDS, f"all that {seconds:.2f} s after the start")
    health = subprocess.run(image.healthcheck(), env=image.environment(), check=False)
    check(health.returncode == 0, "the image's health check")


def behind_the_plane(plane: DataPlane) -> None:
    """Signed clients; whoever does not sign is refused."""
    say("behind the data plane")
    environment = {**os.environ, **KEYS, "AWS_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true"}
    environment["AWS_ENDPOINT_URL_BEDROCK_AGENTCORE"] = plane.endpoint
    environment.pop("AWS_PROFILE", None)
    example("invoke_smoke.py", ARN, environment=environment, says="boto3, invoke_agent_runtime")
    for mode in ("auto", "legacy"):
        told = f"FastMCP's client, {mode}"
        example("fastmcp_signed.py", ARN, "--mode", mode, environment=environment, says=told)
    example("strands_signed.py", ARN, environment=environment, says="Strands, signed")
    script = printed("strands", "--remote", ARN)
    service = f"https://{SERVICE}.{REGION}.amazonaws.com"
    script = script.replace(service, plane.endpoint)
    told = "config strands --remote, as printed"
    as_strands(script, "strands_signed.py", environment=environment, says=told)
    asyncio.run(as_kiro(plane.endpoint, environment))
    seen = plane.seen
    check(not seen.refused, f"{seen.requests} requests, every signature right")
    check(
        {MODERN, "2025-11-25"} <= seen.versions,
        f"versions {', '.join(sorted(seen.versions - {''}))}",
    )
    check(seen.made_sessions > 0, f"{seen.made_sessions} sessions given by the platform")
    bad = {**environment, "AWS_SECRET_ACCESS_KEY": "wrong"}
    done = run_example("fastmcp_signed.py", ARN, environment=bad)
    check(
        done.returncode != 0 and "the signature is wrong" in seen.refused, "a wrong key is refused"
    )


def run_example(
    name: str, *arguments: str, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run an example."""
    return run_script(EXAMPLES / name, *arguments, environment=environment)


def run_script(
    path: Path, *arguments: str, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a script in its own environment, from packages that were fetched before."""
    command = ["uv", "run", "--quiet", "--offline", "--frozen", "--script", str(path)]
    return subprocess.run(
        [*command, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def example(name: str, *arguments: str, environment: Mapping[str, str], says: str) -> None:
    """Run an example, which must find the tools."""
    done = run_example(name, *arguments, environment=environment)
    lines = [*done.stdout.splitlines(), ""]
    if done.returncode or not lines[0].startswith(f"{TOOLS} tools: list_s3_buckets"):
        sys.stdout.write(done.stdout + done.stderr)
    check(lines[0].startswith(f"{TOOLS} tools: list_s3_buckets"), says)
    if len(lines) > 2:
        check(lines[1] == "success 3 buckets", f"{says}: a call")


def printed(client: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Return what `config` prints for a client."""
    command = [sys.executable, "-m", "s3_data_lake_mcp", "config", client, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def as_strands(script: str, locked: str, *, environment: Mapping[str, str], says: str) -> None:
    """Run a script that `config strands` prints, but for the question: there is no model here.

    Args:
        script: What was printed.
        locked: The example whose lock holds its dependencies.
        environment: Of the process.
        says: What that shows.
    """
    asked = script.rstrip().splitlines()[-1]
    counted = script.replace(asked, "print(len(agent.tool_names), 'tools')")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "agent.py"
        path.write_text(counted)
        shutil.copy(EXAMPLES / f"{locked}.lock", f"{path}.lock")
        done = run_script(path, environment=environment)
    if not done.stdout.endswith(f"{TOOLS} tools\n"):
        sys.stdout.write(done.stdout + done.stderr)
    check(asked.startswith("agent(") and done.stdout.endswith(f"{TOOLS} tools\n"), says)


async def as_kiro(endpoint: str, environment: Mapping[str, str]) -> None:
    """The proxy with the very arguments that `config kiro --remote` prints, `--read-only` too."""
    server = json.loads(printed("kiro", "--remote", ARN))["mcpServers"]["s3-data-lake"]
    url = urllib.parse.urlsplit(server["args"][1])
    local = urllib.parse.urlsplit(endpoint)
    server["args"][1] = url._replace(scheme=local.scheme, netloc=local.netloc).geturl()
    transport = StdioTransport(
        server["command"],
        server["args"],
        env={**environment, **server["env"], "UV_OFFLINE": "1"},
        keep_alive=False,
        log_file=Path(os.devnull),
    )
    async with Client(transport, timeout=60, init_timeout=60) as client:
        check("--read-only" in server["args"], " ".join([server["args"][0], *server["args"][2:]]))
        check(len(await client.list_tools()) == TOOLS, "the proxy as Kiro runs it")
        answer = await client.call_tool("list_s3_buckets", {})
        check(not answer.is_error, "the proxy as Kiro runs it: a call")


def stdio(image: Image, lake: Mapping[str, str]) -> None:
    """Strands starts the image's own program and speaks stdio to it."""
    say("over stdio")
    program = image.place("/opt/venv/bin/s3-data-lake-mcp")
    example("strands_stdio.py", program, environment=lake, says="Strands, stdio")
    script = printed("strands", environment=lake)
    told = "config strands, as printed"
    as_strands(script, "strands_stdio.py", environment=lake, says=told)


def stop(started: Started) -> None:
    """SIGTERM lets the call in flight end, then the process."""
    say("stop")
    answers: list[dict[str, Any]] = []
    arguments = {"bucket_name": "s3://demo-lake/crm/customers.csv", "sql": SLOW_SQL}
    params = {"name": "query_csv_data", "arguments": arguments}
    caller = threading.Thread(target=lambda: answers.append(ask("tools/call", params)[1]))
    caller.start()
    time.sleep(1)
    check(not answers, "a call is in flight")
    started.process.send_signal(signal.SIGTERM)
    caller.join(60)
    check(bool(answers) and not answers[0]["result"]["isError"], "it is answered after SIGTERM")
    code = started.process.wait(30)
    check(code in {0, -signal.SIGTERM}, f"the process ends ({code})")


if __name__ == "__main__":
    main()
