"""The command line: one function a command, `serve` without one; flags in, exit code out."""

import argparse
import os
import sys
from collections.abc import Sequence

_LOOPBACK = "127.0.0.1"
_PORT = 8000
_INTERRUPTED = 130
_MISCONFIGURED = 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="s3-data-lake-mcp",
        description="Read-only MCP server over an S3 data lake. Without a command it serves stdio.",
    )
    parser.set_defaults(run=_serve, transport="stdio", host=_LOOPBACK, port=_PORT)
    commands = parser.add_subparsers(metavar="command")
    serve = commands.add_parser("serve", help="serve MCP over stdio or HTTP")
    serve.set_defaults(run=_serve)
    demo = commands.add_parser(
        "demo", help="show all tools at work on a demo lake, no cloud needed"
    )
    demo.set_defaults(run=_demo)
    demo.add_argument("--serve", action="store_true", help="keep the demo lake up as an MCP server")
    for command in (serve, demo):
        command.add_argument(
            "--transport", choices=("stdio", "http"), default="stdio", help="default: %(default)s"
        )
        command.add_argument(
            "--host", default=_LOOPBACK, help="address to bind, default: %(default)s"
        )
        command.add_argument(
            "--port", type=int, default=_PORT, help="port to bind, default: %(default)s"
        )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    options = _parser().parse_args(argv)
    # Read when the framework is imported: no update check, and logs stay ours.
    os.environ.setdefault("FASTMCP_CHECK_FOR_UPDATES", "off")
    os.environ.setdefault("FASTMCP_LOG_ENABLED", "false")
    try:
        return int(options.run(options))
    except KeyboardInterrupt:
        return _INTERRUPTED


def _demo(options: argparse.Namespace) -> int:
    from s3_data_lake_mcp.demo import run_demo  # noqa: PLC0415 - an optional extra

    return run_demo(serve=options.serve, serve_with=lambda: _serve(options))


def _serve(options: argparse.Namespace) -> int:
    from pydantic import ValidationError  # noqa: PLC0415 - `--help` answers without it

    from s3_data_lake_mcp import observability, server  # noqa: PLC0415 - as above
    from s3_data_lake_mcp.errors import LakeError  # noqa: PLC0415 - as above
    from s3_data_lake_mcp.settings import PREFIX, Settings  # noqa: PLC0415 - as above

    try:
        settings = Settings()
        observability.configure(settings.log_level)
        if options.transport == "http":
            return server.serve_http(settings, host=options.host, port=options.port)
        return server.serve_stdio(settings)
    except ValidationError as exc:
        for problem in exc.errors(include_url=False, include_input=False):
            name = "_".join(str(part) for part in problem["loc"]).upper()
            sys.stderr.write(f"{PREFIX}{name}: {problem['msg']}\n")
        return _MISCONFIGURED
    except LakeError as exc:
        sys.stderr.write(f"{exc}. {exc.hint}\n")
        return _MISCONFIGURED
