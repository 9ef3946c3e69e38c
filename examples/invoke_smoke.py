# /// script
# requires-python = ">=3.12"
# dependencies = ["boto3>=1.44"]
# ///
"""A smoke test after a deployment: `tools/list` through InvokeAgentRuntime, with boto3 alone.

    uv run examples/invoke_smoke.py RUNTIME_ARN --qualifier production

Ends with 0 if the eight tools are there (`--tools N` for fewer), else with 1 and what was answered.
READY does not prove that the server works: the first request starts it. The platform tells its own
errors inside of answers with status 200; those that pass are asked again.
"""

import argparse
import json
import sys
import time
import uuid
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError

TRY_AGAIN = {-32003, -32005, -32010}
TRY_AGAIN_CODES = {"ThrottlingException", "RetryableConflictException", "RuntimeClientError"}
PATIENCE_SECONDS = 180


def invoke(client: BaseClient, arn: str, qualifier: str, session: str) -> dict[str, Any]:
    """Send `tools/list` and return the JSON-RPC answer."""
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    answer = client.invoke_agent_runtime(
        agentRuntimeArn=arn,
        qualifier=qualifier,
        runtimeSessionId=session,
        mcpSessionId=session,
        mcpProtocolVersion="2025-11-25",
        contentType="application/json",
        accept="application/json, text/event-stream",
        payload=json.dumps(body).encode(),
    )
    text = answer["response"].read().decode()
    events = [
        line[5:] for line in text.splitlines() if line.startswith("data:") and line[5:].strip()
    ]
    read: dict[str, Any] = json.loads(events[-1] if events else text)
    return read


def tools(client: BaseClient, arn: str, qualifier: str) -> list[str]:
    """Return the names of the tools, waiting for a cold start."""
    session = f"smoke-{uuid.uuid4()}"
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            answer = invoke(client, arn, qualifier, session)
        except ClientError as exc:
            error: dict[str, Any] = exc.response["Error"]
            again = error["Code"] in TRY_AGAIN_CODES
        else:
            if "result" in answer:
                return [tool["name"] for tool in answer["result"]["tools"]]
            error = answer.get("error", {})
            again = error.get("code") in TRY_AGAIN
        if not again or time.monotonic() > deadline:
            sys.exit(f"the runtime answered {json.dumps(error)}")
        time.sleep(3)


def main() -> None:
    """Ask, and compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("arn", metavar="RUNTIME_ARN")
    parser.add_argument("--qualifier", default="DEFAULT", help="endpoint, default: %(default)s")
    parser.add_argument("--tools", type=int, default=8, help="how many, default: %(default)s")
    options = parser.parse_args()
    client = boto3.client(
        "bedrock-agentcore",
        region_name=options.arn.split(":")[3],
        config=Config(read_timeout=PATIENCE_SECONDS),
    )
    names = tools(client, options.arn, options.qualifier)
    print(f"{len(names)} tools: {', '.join(names)}")
    if len(names) != options.tools:
        sys.exit(f"expected {options.tools} tools")


if __name__ == "__main__":
    main()
