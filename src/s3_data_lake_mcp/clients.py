"""Configurations of MCP clients: for a server that they start, or for one in AgentCore."""

import json
import re
import sys
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from s3_data_lake_mcp.errors import InvalidArgumentError
from s3_data_lake_mcp.settings import handed_on

_PROXY = "mcp-proxy-for-aws@1.7.0"
"""Signs with SigV4 between a client that cannot and AgentCore; pinned, as it gets credentials."""

SERVICE = "bedrock-agentcore"

_STRANDS_LOCAL = ("mcp>=1.28,<2", "strands-agents==1.62.0")
_STRANDS_REMOTE = (_PROXY.replace("@", "=="), "strands-agents==1.62.0")
"""What the scripts need: without bounds, releases of years ago are found that fit together."""

PLACES = {
    "kiro": ".kiro/settings/mcp.json in the workspace, or in your home",
    "claude": "claude_desktop_config.json (Claude Desktop) or .mcp.json (Claude Code)",
    "cursor": ".cursor/mcp.json in the workspace, or in your home",
    "vscode": ".vscode/mcp.json in the workspace",
    "strands": "a Python file; `uv run FILE` gets what it needs and runs it",
}
"""Where each configuration belongs."""

_SERVER = "s3-data-lake"
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):bedrock-agentcore:(?P<region>[a-z0-9-]+):\d{12}:runtime/[\w-]+"
)
_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}

_SCRIPT = """\
# /// script
# requires-python = ">=3.12"
# dependencies = {dependencies}
# ///
"""

_LOCAL_AGENT = '''\
"""A Strands agent with the tools of the S3 data lake, served on standard input and output."""

from mcp import StdioServerParameters, stdio_client
from strands import Agent
from strands.tools.mcp import MCPClient

SERVER = StdioServerParameters(
    command={command},
    args={args},
    env={env},
)

agent = Agent(tools=[MCPClient(lambda: stdio_client(SERVER))])
agent("Which data sets can you read?")
'''

_REMOTE_AGENT = '''\
"""A Strands agent with the tools of the S3 data lake in AgentCore; each request is signed."""

from mcp_proxy_for_aws.client import aws_iam_streamablehttp_client
from strands import Agent
from strands.tools.mcp import MCPClient

lake = MCPClient(
    lambda: aws_iam_streamablehttp_client(
        endpoint={endpoint},
        aws_service={service},
        aws_region={region},
    ),
    startup_timeout=120,
)

agent = Agent(tools=[lake])
agent("Which data sets can you read?")
'''


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A runtime in AgentCore: where it is called, and for which region requests are signed."""

    endpoint: str
    region: str


def remote(arn: str, qualifier: str = "DEFAULT") -> Remote:
    """Return where a runtime is called.

    Args:
        arn: ARN of the runtime.
        qualifier: Name of its endpoint.

    Raises:
        InvalidArgumentError: If it is no such ARN.
    """
    found = _ARN.fullmatch(arn)
    if found is None:
        message = f"{arn!r} is not the ARN of an AgentCore runtime"
        hint = "It looks like arn:aws:bedrock-agentcore:REGION:ACCOUNT:runtime/NAME."
        raise InvalidArgumentError(message, hint=hint)
    region = found["region"]
    suffix = _SUFFIXES.get(found["partition"], "amazonaws.com")
    path = f"runtimes/{quote(arn, safe='')}/invocations?qualifier={quote(qualifier, safe='')}"
    return Remote(endpoint=f"https://{SERVICE}.{region}.{suffix}/{path}", region=region)


def configuration(client: str, target: Remote | None = None) -> str:
    """Return a client's configuration, ready to be saved.

    Profile, region, endpoint and the server's settings are taken from the environment and `.env`;
    keys and other secrets never are.

    `client` is one of those in `PLACES`. Without a `target` it starts this installation.
    """
    if client == "strands":
        return _strands(target)
    server = _started() if target is None else _proxied(target)
    if client == "kiro":
        server |= {"disabled": False, "autoApprove": []}
    if client == "vscode":
        return _json({"servers": {_SERVER: {"type": "stdio", **server}}})
    return _json({"mcpServers": {_SERVER: server}})


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2) + "\n"


def _started() -> dict[str, Any]:
    # By its full path: a client that was started from a desktop has another PATH.
    return {"command": sys.executable, "args": ["-m", __package__], "env": handed_on()}


def _proxied(target: Remote) -> dict[str, Any]:
    signing = ["--service", SERVICE, "--region", target.region]
    environment = {k: v for k, v in handed_on().items() if k in _SIGNING}
    return {
        "command": "uvx",
        "args": [_PROXY, target.endpoint, *signing, "--read-only"],
        "env": environment,
    }


_SIGNING = frozenset(
    {"AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE"}
)
"""What the proxy needs of the environment; the server's settings are those of the runtime."""


def _strands(target: Remote | None) -> str:
    # Texts, lists and objects of JSON are Python's too.
    if target is None:
        text = _LOCAL_AGENT.format(**{k: json.dumps(v) for k, v in _started().items()})
        return _SCRIPT.format(dependencies=json.dumps(_STRANDS_LOCAL)) + text
    return _SCRIPT.format(dependencies=json.dumps(_STRANDS_REMOTE)) + _REMOTE_AGENT.format(
        endpoint=json.dumps(target.endpoint),
        service=json.dumps(SERVICE),
        region=json.dumps(target.region),
    )
