"""The server's own settings, `S3_DATA_LAKE_*`; the only reader of the environment.

AWS settings are not here: they come from the standard AWS chain (`AWS_PROFILE`, `AWS_REGION`,
`AWS_ENDPOINT_URL_S3` and so on).
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import ByteSize, Field, PositiveFloat, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "S3_DATA_LAKE_"
CEILING = 10_000


def machine_memory_bytes() -> int:
    """Return the memory of the container, or else of the machine."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(path).read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            total = min(total, int(text))
    return total


def aws_region() -> str:
    """Return `AWS_REGION`, the one name of the standard AWS chain that botocore does not read."""
    return os.environ.get("AWS_REGION", "")


class Settings(BaseSettings):
    """Settings of the server, from the environment or `.env`."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        extra="ignore",
        frozen=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    allowed: str = ""
    """What may be read: comma-separated `bucket` or `bucket/prefix*` globs, `*` crosses `/`.

    Empty: whatever IAM allows."""

    enabled_tools: str = ""
    """Comma-separated names of the only tools to offer. Empty: all eight."""

    disabled_tools: str = ""
    """Comma-separated names of tools to switch off: neither listed nor known."""

    max_rows: PositiveInt = CEILING
    """Ceiling for `max_rows`, `max_records`, `max_keys` and `max_buckets`."""

    max_result_bytes: ByteSize = ByteSize(64 << 10)
    """Most bytes of one result: the UTF-8 bytes of its compact JSON."""

    max_cell_chars: PositiveInt = 2_000
    """Longest text of one value; longer ones are clipped and counted in a notice."""

    result_content: Literal["both", "text", "structured"] = "both"
    """What a result holds: text and structure, text alone, or structure and one line of text."""

    timeout_seconds: PositiveFloat = 50.0
    """Deadline of one call, in seconds."""

    memory_limit: ByteSize = Field(default_factory=lambda: ByteSize(machine_memory_bytes() // 2))
    """Most memory that one call may use. Default: half of the machine's or container's."""

    max_scan_bytes: ByteSize = ByteSize(5 << 30)
    """Most bytes that one call may read from S3."""

    max_decoded_bytes: ByteSize = ByteSize(8 << 30)
    """Most bytes that one call may decompress."""

    workers: PositiveInt = 4
    """Most calls that parse data at the same time; further ones wait."""

    cache_bytes: ByteSize = ByteSize(512 << 20)
    """Most memory that one worker's block cache may hold."""

    requester_pays: bool = False
    """Whether requests to requester-pays buckets may be sent, at your cost."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "WARNING"
    """Level of the logs on standard error."""
