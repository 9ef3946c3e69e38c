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
