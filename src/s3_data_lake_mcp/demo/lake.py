"""The demo lake as a process of its own, which ends with the one that started it."""

import contextlib
import os
import subprocess
import sys
from types import TracebackType
from typing import Self

from s3_data_lake_mcp.demo.catalogue import REGION

_MODULE = "s3_data_lake_mcp.demo.embedded"
_READY = "ready"
_END_SECONDS = 5


class DemoLakeError(Exception):
    """The demo lake did not start."""


class DemoLake:
    """An embedded S3 on a free port of loopback, with the demo lake in it.

    Use it as a context: the process starts with it, and has ended when it is left. Nothing is
    written to disk. Should this process be killed, the other one ends by itself, because its
    standard input closes.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module, run by our own interpreter
            [sys.executable, "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_without_aws(),
            text=True,
        )
        self._url = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The URL of the S3 API, which answers before the lake is filled.

        Raises:
            DemoLakeError: If the process ended instead.
        """
        if not self._url:
            self._url = self._line()
        return self._url

    def wait(self) -> None:
        """Return once the lake is filled.

        Raises:
            DemoLakeError: If the process ended instead.
        """
        if self.url and self._line() != _READY:
            raise DemoLakeError("The demo lake could not be filled")

    def _line(self) -> str:
        line = self._process.stdout.readline().strip() if self._process.stdout else ""
        if not line:
            message = "The embedded S3 ended before it was ready; its own message is above"
            raise DemoLakeError(message)
        return line

    def environment(self) -> dict[str, str]:
        """Return the environment of a server on this lake: none of the user's AWS settings."""
        return _without_aws() | {
            "AWS_ENDPOINT_URL_S3": self.url,
            "AWS_ACCESS_KEY_ID": "demo",
            "AWS_SECRET_ACCESS_KEY": "demo",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def close(self) -> None:
        """End the process and wait for its end."""
        if self._process.stdin:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


def _without_aws() -> dict[str, str]:
    """Return this process's environment without what could lead to another S3 or account."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and not name.lower().endswith("_proxy")
    }
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
