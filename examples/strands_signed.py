# /// script
# requires-python = ">=3.12"
# dependencies = ["mcp-proxy-for-aws==1.7.0", "strands-agents==1.62.0"]
# ///
"""A Strands agent's tools, from the server in AgentCore, each request signed with SigV4.

    uv run examples/strands_signed.py RUNTIME_ARN
    uv run examples/strands_signed.py RUNTIME_ARN --ask "Which data sets are there?"

Credentials come from the standard AWS chain and need `bedrock-agentcore:InvokeAgentRuntime`.
"""

import argparse
import os
from urllib.parse import quote

from mcp_proxy_for_aws.client import aws_iam_streamablehttp_client
from strands import Agent
from strands.tools.mcp import MCPClient

SERVICE = "bedrock-agentcore"
COLD_START_SECONDS = 120


def main() -> None:
    """List the tools, call one, and perhaps ask an agent."""
    parser = argparse.ArgumentParser()
    parser.add_argument("arn", metavar="RUNTIME_ARN")
    parser.add_argument("--qualifier", default="DEFAULT", help="endpoint, default: %(default)s")
    parser.add_argument("--ask", metavar="QUESTION", help="of an agent with the tools")
    options = parser.parse_args()
    region = options.arn.split(":")[3]
    base = os.environ.get("AWS_ENDPOINT_URL_BEDROCK_AGENTCORE")
    base = base or f"https://{SERVICE}.{region}.amazonaws.com"
    path = f"/runtimes/{quote(options.arn, safe='')}/invocations?qualifier={options.qualifier}"
    lake = MCPClient(
        lambda: aws_iam_streamablehttp_client(
            endpoint=base + path, aws_service=SERVICE, aws_region=region
        ),
        startup_timeout=COLD_START_SECONDS,
    )
    if options.ask:
        Agent(tools=[lake])(options.ask)
        return
    with lake:
        tools = lake.list_tools_sync()
        print(f"{len(tools)} tools: {', '.join(tool.tool_name for tool in tools)}")
        answer = lake.call_tool_sync("1", "list_s3_buckets", {})
        print(answer["status"], answer["content"][0]["text"].splitlines()[0])


if __name__ == "__main__":
    main()
