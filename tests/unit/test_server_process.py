"""What the server process loads: nothing that parses foreign bytes or foreign SQL."""

import subprocess
import sys

SCRIPT = """
import sys
from s3_data_lake_mcp.lake import Lake
from s3_data_lake_mcp.server import build_app
from s3_data_lake_mcp.settings import Settings

build_app(Lake.connect(Settings()), host="127.0.0.1")
heavy = ("pyarrow", "duckdb", "pandas", "numpy", "zstandard", "isal")
print([name for name in heavy if name in sys.modules])
"""


def test_a_server_is_built_without_parsers() -> None:
    """All tools and both transports are there, and none of the libraries of the workers."""
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


_FIRST_CLIENT = """
import importlib, sys
from s3_data_lake_mcp.aws import ClientFactory
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.workers.process import PRELOADED

for name in PRELOADED:
    importlib.import_module(name)
loaded = {*sys.modules}
ClientFactory(Settings()).client_for("", "us-east-1")
print(sorted(name for name in {*sys.modules} - loaded if name.startswith("botocore")))
"""


def test_workers_are_forked_with_the_sdk() -> None:
    """To load it again would be most of what the first job of each worker takes."""
    command = [sys.executable, "-c", _FIRST_CLIENT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
