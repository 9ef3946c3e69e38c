"""rclone's S3 server: another implementation of the API, which checks signatures."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ACCESS_KEY, SECRET_KEY = "AKIDRCLONE", "rclone-secret"
_LISTENING = re.compile(r"http://127\.0\.0\.1:\d+")


def rclone_program() -> str | None:
    """Return the path of rclone, of this environment first."""
    beside = Path(sys.executable).with_name("rclone")
    return str(beside) if beside.exists() else shutil.which("rclone")


@contextmanager
def serve_s3(program: str, root: Path) -> Iterator[str]:
    """Serve the folders of `root` as buckets; yields the endpoint."""
    config = root.parent / "rclone.conf"
    config.touch()
    command = [program, "serve", "s3", "--addr", "127.0.0.1:0", "--config", str(config)]
    command += ["--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", "--vfs-cache-mode", "off", str(root)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield _endpoint(process)
        finally:
            process.terminate()


def _endpoint(process: subprocess.Popen[str]) -> str:
    for line in process.stderr or ():
        if found := _LISTENING.search(line):
            return found[0]
    message = "rclone did not start"
    raise RuntimeError(message)
