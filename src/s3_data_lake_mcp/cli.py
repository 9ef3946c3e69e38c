"""The command line: serve (the default) and demo."""

import argparse
import os
import sys
from collections.abc import Sequence

_LOOPBACK = "127.0.0.1"
_PORT = 8000


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="s3-data-lake-mcp",
        description="Read-only MCP server over an S3 data lake. Without a command it serves stdio.",
    )
    commands = parser.add_subparsers(dest="command", metavar="command")
    serve = commands.add_parser("serve", help="serve MCP over stdio or HTTP")
    demo = commands.add_parser(
        "demo", help="show all tools at work on a demo lake, no cloud needed"
    )
    demo.add_argument("--serve", action="store_true", help="keep the demo lake up as an MCP server")
    for command in (serve, demo):
        command.add_argument("--transport", choices=("stdio", "http"), default="stdio")
        command.add_argument("--host", default=_LOOPBACK, help="address to bind, %(default)s")
        command.add_argument("--port", type=int, default=_PORT, help="port to bind, %(default)s")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    options = _parser().parse_args(argv)
    # Read when the framework is imported: no update check, and logs stay ours.
    os.environ.setdefault("FASTMCP_CHECK_FOR_UPDATES", "off")
    os.environ.setdefault("FASTMCP_LOG_ENABLED", "false")
    if options.command == "demo":
        from s3_data_lake_mcp.demo import run_demo  # noqa: PLC0415 - an optional extra

        return run_demo(
            serve=options.serve,
            serve_with=lambda: _serve(options.transport, options.host, options.port),
        )
    if options.command == "serve":
        return _serve(options.transport, options.host, options.port)
    return _serve("stdio", _LOOPBACK, _PORT)


def _serve(transport: str, host: str, port: int) -> int:
    from pydantic import ValidationError  # noqa: PLC0415 - `--help` answers without it

    from s3_data_lake_mcp import observability, server  # noqa: PLC0415 - as above
    from s3_data_lake_mcp.errors import LakeError  # noqa: PLC0415 - as above
    from s3_data_lake_mcp.settings import PREFIX, Settings  # noqa: PLC0415 - as above

    try:
        settings = Settings()
        observability.configure(settings.log_level)
        if transport == "http":
            return server.serve_http(settings, host=host, port=port)
        return server.serve_stdio(settings)
    except ValidationError as exc:
        for problem in exc.errors(include_url=False, include_input=False):
            name = "_".join(str(part) for part in problem["loc"]).upper()
            sys.stderr.write(f"{PREFIX}{name}: {problem['msg']}\n")
        return 2
    except LakeError as exc:
        sys.stderr.write(f"{exc}. {exc.hint}\n")
        return 2
