"""The demo lake: an embedded S3 with made-up data, a tour of all tools on it, or a server."""

import importlib
import importlib.util
import os
import sys
from collections.abc import Callable

from s3_data_lake_mcp.demo.catalogue import BUCKETS
from s3_data_lake_mcp.demo.lake import DemoLake, DemoLakeError

_NEEDED = ("moto", "flask_cors")
_INSTALL = (
    "The demo needs the extra `demo`, which is not installed. In a clone: uv sync --extra demo; "
    'elsewhere: pip install "s3-data-lake-mcp[demo]"\n'
)


def run_demo(*, serve: bool, serve_with: Callable[[], int]) -> int:
    """Start the demo lake, use it, and end it; return the exit code.

    Args:
        serve: Whether to serve MCP on the demo lake instead of showing the tour.
        serve_with: Serves with the settings of the environment until it is told to end.
    """
    if not all(importlib.util.find_spec(name) for name in _NEEDED):
        sys.stderr.write(_INSTALL)
        return 2
    try:
        with DemoLake() as lake:
            return _serve(lake, serve_with) if serve else _tour(lake)
    except DemoLakeError as exc:
        sys.stderr.write(f"{exc}.\n")
        return 1


def _serve(lake: DemoLake, serve_with: Callable[[], int]) -> int:
    # Takes seconds, as does filling the lake, in the other process.
    importlib.import_module("s3_data_lake_mcp.server")
    lake.wait()
    environment = lake.environment()
    os.environ.clear()
    os.environ.update(environment)
    sys.stderr.write(
        f"The demo lake is up: {', '.join(BUCKETS)} at {lake.url}. It ends with this command.\n"
    )
    return serve_with()


def _tour(lake: DemoLake) -> int:
    from s3_data_lake_mcp.demo.tour import run_tour  # noqa: PLC0415 - the MCP client takes a second

    return run_tour(lake)
