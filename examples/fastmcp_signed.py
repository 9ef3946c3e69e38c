# /// script
# requires-python = ">=3.12"
# dependencies = ["boto3>=1.44", "fastmcp>=4.1,<5"]
# ///
"""A FastMCP client of the server in AgentCore, each request signed with SigV4 by 20 lines.

    uv run examples/fastmcp_signed.py RUNTIME_ARN
    uv run examples/fastmcp_signed.py RUNTIME_ARN --mode legacy

`auto` speaks MCP 2026-07-28 and falls back; `legacy` begins with the older handshake. One session
id for all requests keeps them on one microVM, where the server is warm.
"""

import argparse
import asyncio
import os
import uuid
from collections.abc import Generator
from urllib.parse import quote

import boto3
import httpx2
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport

SERVICE = "bedrock-agentcore"
SESSION = "X-Amzn-Bedrock-AgentCore-Runtime-Session-Id"
COLD_START_SECONDS = 120


class SigV4(httpx2.Auth):
    """Signs requests with the credentials of the standard chain, refreshed where they expire."""

    requires_request_body = True

    def __init__(self, region: str) -> None:
        self._session = boto3.session.Session()
        self._region = region

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response]:
        """Add the signature's headers to a request."""
        credentials = self._session.get_credentials()
        if credentials is None:
            raise SystemExit("no AWS credentials were found")
        names = ("host", "content-type", "accept", SESSION.lower())
        headers = {name: request.headers[name] for name in names if name in request.headers}
        signed = AWSRequest(request.method, str(request.url), headers, request.content)
        SigV4Auth(credentials.get_frozen_credentials(), SERVICE, self._region).add_auth(signed)
        request.headers.update(dict(signed.headers))
        yield request


async def run(arn: str, qualifier: str, mode: str) -> None:
    """List the tools and call one."""
    region = arn.split(":")[3]
    base = os.environ.get("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE")
    base = base or f"https://{SERVICE}.{region}.amazonaws.com"
    transport = StreamableHttpTransport(
        f"{base}/runtimes/{quote(arn, safe='')}/invocations?qualifier={qualifier}",
        headers={SESSION: str(uuid.uuid4())},
        auth=SigV4(region),
    )
    async with Client(transport, mode=mode, timeout=COLD_START_SECONDS) as client:
        tools = await client.list_tools()
        print(f"{len(tools)} tools: {', '.join(tool.name for tool in tools)}")
        answer = await client.call_tool("list_s3_buckets", {})
        print("success", answer.content[0].text.splitlines()[0])


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("arn", metavar="RUNTIME_ARN")
    parser.add_argument("--qualifier", default="DEFAULT", help="endpoint, default: %(default)s")
    parser.add_argument("--mode", choices=("auto", "legacy"), default="auto")
    options = parser.parse_args()
    asyncio.run(run(options.arn, options.qualifier, options.mode))


if __name__ == "__main__":
    main()
