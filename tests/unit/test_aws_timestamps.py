"""Timestamps of S3's answers are those that the SDK would read."""

from typing import Any

import pytest
from botocore.parsers import DEFAULT_TIMESTAMP_PARSER

from s3_data_lake_mcp.aws.timestamps import read_timestamp


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T03:04:05.000Z",
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.123456Z",
        "2026-01-02T03:04:05+02:00",
        "Fri, 02 Jan 2026 03:04:05 GMT",
        "1767323045",
        1767323046,
    ],
)
def test_any_way_to_write_a_date(text: Any) -> None:
    """Whatever S3 or a store like it writes comes out as from the SDK's own parser."""
    assert read_timestamp(text) == DEFAULT_TIMESTAMP_PARSER(text)
