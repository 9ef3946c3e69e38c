# /// script
# requires-python = ">=3.12"
# dependencies = ["mcp>=1.28,<2", "strands-agents==1.62.0"]
# ///
"""A Strands agent's tools, from a server that it starts itself and speaks to over stdio.

    uv run examples/strands_stdio.py
    uv run examples/strands_stdio.py --ask "Which data sets are there?"

The first lists the tools and calls one; it needs no model. The second lets an agent answer, which
needs a model that Strands can reach (by default one in Amazon Bedrock). Without AWS settings, add
`--demo`: the server then brings its demo lake.
"""

import argparse
import os
from pathlib import Path

from strands import Agent
from strands.tools.mcp import MCPClient

from mcp import StdioServerParameters, stdio_client

PROJECT = Path(__file__).parents[1]


def main() -> None:
    """List the tools, call one, and perhaps ask an agent."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--demo", action="store_true", help="on the demo lake")
    parser.add_argument("--ask", metavar="QUESTION", help="of an agent with the tools")
    parser.add_argument(
        "command", nargs="*", help="starts the server; default: uv run in this project"
    )
    options = parser.parse_args()
    default = ["uv", "run", "--directory", str(PROJECT), "s3-data-lake-mcp"]
    program, *arguments = options.command or default
    if options.demo:
        arguments += ["demo", "--serve"]
    server = StdioServerParameters(command=program, args=arguments, env=dict(os.environ))
    lake = MCPClient(lambda: stdio_client(server), startup_timeout=60)
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
