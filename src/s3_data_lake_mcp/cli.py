"""The command line: one function a command, `serve` without one; flags in, exit code out."""

import argparse
import contextlib
import difflib
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence

_NAME = "s3-data-lake-mcp"
_FLAG = re.compile(r"--[a-z-]+")
_LOOPBACK = "127.0.0.1"
_PORT = 8000
_LAST_PORT = 65_535
_INTERRUPTED = 130
_MISCONFIGURED = 2
CLIENTS = ("kiro", "claude", "cursor", "vscode", "strands")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to {_LAST_PORT}")
    return int(text)


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415 - looked up only if it is asked for

        sys.stdout.write(f"{_NAME} {version(_NAME)}\n")
        parser.exit()


def _refuse_unknown(
    parser: argparse.ArgumentParser,
    commands: Mapping[str, argparse.ArgumentParser],
    words: Sequence[str],
) -> None:
    """End with what is like an option that is none here, or with the commands that have it."""
    flags = {name: {"--help", *_FLAG.findall(one.format_usage())} for name, one in commands.items()}
    command = next((word for word in words if word in commands), "")
    known = flags.get(command) or {"--help", *_FLAG.findall(parser.format_usage())}
    for flag in (word.partition("=")[0] for word in words if word.startswith("--")):
        if any(one.startswith(flag) for one in known):
            continue
        owners = [name for name, its in flags.items() if flag in its]
        near = difflib.get_close_matches(flag, known, 1)
        hint = f"{' '.join(filter(None, (_NAME, command)))} --help shows the options"
        if owners:
            hint = f"it is an option of: {', '.join(owners)}"
        elif near:
            hint = f"did you mean {near[0]}?"
        commands.get(command, parser).error(f"there is no option {flag} here: {hint}")


def _parser() -> tuple[argparse.ArgumentParser, Mapping[str, argparse.ArgumentParser]]:
    parser = argparse.ArgumentParser(
        prog=_NAME,
        description="Read-only MCP server over an S3 data lake. Without a command it serves stdio.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    parser.set_defaults(run=_serve, transport="stdio", host=None, port=None)
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
        command.add_argument("--host", help=f"address to bind for HTTP, default: {_LOOPBACK}")
        command.add_argument("--port", type=_port, help=f"port to bind, default: {_PORT}")
    _add_configuring(commands)
    return parser, commands.choices


def _add_configuring(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    settings = commands.add_parser(
        "settings", help="print the effective settings and their sources"
    )
    settings.set_defaults(run=_settings)
    config = commands.add_parser("config", help="print a client's configuration")
    config.set_defaults(run=_config)
    config.add_argument("client", choices=CLIENTS)
    config.add_argument(
        "--remote", metavar="ARN", default="", help="of a runtime in AgentCore; default: start here"
    )
    config.add_argument(
        "--qualifier",
        metavar="NAME",
        default="DEFAULT",
        help="endpoint of the runtime, default: %(default)s",
    )


def _settle_address(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Fill in where HTTP is served; an address without HTTP would be passed over in silence."""
    defaults = {"host": _LOOPBACK, "port": _PORT}
    for name, default in defaults.items():
        if vars(options).get(name) is None:
            setattr(options, name, default)
        elif options.transport != "http":
            parser.error(f"--{name} is for HTTP: add --transport http")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser, commands = _parser()
    words = sys.argv[1:] if argv is None else argv
    _refuse_unknown(parser, commands, words)
    options = parser.parse_args(words)
    _settle_address(parser, options)
    # Read when the framework is imported: no update check, and logs stay ours.
    os.environ.setdefault("FASTMCP_CHECK_FOR_UPDATES", "off")
    os.environ.setdefault("FASTMCP_LOG_ENABLED", "false")
    try:
        return _told(options.run, options)
    except KeyboardInterrupt:
        return _INTERRUPTED


def _demo(options: argparse.Namespace) -> int:
    from s3_data_lake_mcp.demo import run_demo  # noqa: PLC0415 - an optional extra

    def serve() -> int:
        if options.transport == "http":
            sys.stderr.write(f"MCP is served on http://{options.host}:{options.port}/mcp\n")
        return _serve(options)

    return run_demo(serve=options.serve, serve_with=serve)


def _serve(options: argparse.Namespace) -> int:
    from s3_data_lake_mcp import configuration, observability, server  # noqa: PLC0415 - as below

    found = configuration.load()
    observability.configure(found.settings.log_level)
    found.log_notices()
    if options.transport == "http":
        return server.serve_http(found.settings, host=options.host, port=options.port)
    return server.serve_stdio(found.settings)


def _settings(_: argparse.Namespace) -> int:
    from s3_data_lake_mcp import configuration, server  # noqa: PLC0415 - as below
    from s3_data_lake_mcp.lake import Lake  # noqa: PLC0415 - as below

    found = configuration.load()
    sys.stdout.writelines(f"{line}\n" for line in configuration.table(found))
    sys.stdout.flush()
    sys.stderr.writelines(f"{notice}.\n" for notice in found.notices)
    # Lists of names and globs are read when the server is built.
    with contextlib.closing(Lake.connect(found.settings)) as lake:
        server.build_server(lake)
    return 0


def _config(options: argparse.Namespace) -> int:
    from s3_data_lake_mcp import clients  # noqa: PLC0415 - as below
    from s3_data_lake_mcp.settings import kept_back  # noqa: PLC0415 - as below

    target = clients.remote(options.remote, options.qualifier) if options.remote else None
    sys.stdout.write(clients.configuration(options.client, target))
    sys.stderr.write(f"Belongs in {clients.PLACES[options.client]}.\n")
    for name in [] if target else kept_back():
        sys.stderr.write(f"{name} is a secret and was left out: hand it on, or use SSM.\n")
    return 0


def _told(run: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Run a command; what is wrong with its settings is told in a line each, without a stack."""
    from pydantic import ValidationError  # noqa: PLC0415 - `--help` answers without it

    from s3_data_lake_mcp.configuration import reason  # noqa: PLC0415 - as above
    from s3_data_lake_mcp.errors import LakeError  # noqa: PLC0415 - as above
    from s3_data_lake_mcp.settings import PREFIX  # noqa: PLC0415 - as above

    try:
        return run(options)
    except ValidationError as exc:
        for problem in exc.errors(include_url=False, include_input=False):
            name = "_".join(str(part) for part in problem["loc"]).upper()
            sys.stderr.write(f"{PREFIX}{name}: {reason(problem['msg'])}\n")
        return _MISCONFIGURED
    except LakeError as exc:
        sys.stderr.write(f"{exc}. {exc.hint}\n")
        return _MISCONFIGURED
