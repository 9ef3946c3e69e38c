"""pandas stays out of a process until something computes with it."""

import subprocess
import sys

SCRIPT = """
import sys
import pyarrow as pa
from s3_data_lake_mcp import frames
frames.defer_pandas()
table = pa.table({"a": pa.array([1, None]), "t": pa.array([1], pa.timestamp("ns")).take([0, None])})
print("pandas" in sys.modules)
frame = frames.to_pandas(table)
print(frame["a"].dtype, frame["a"].isna().sum(), table["a"].to_pandas().tolist()[0])
"""


def test_arrays_do_not_import_pandas_and_frames_do() -> None:
    """Arrays of Python values come without it; afterwards frames work as ever."""
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == ["False", "int64[pyarrow] 1 1.0"]
