"""The results of reading: pages of tables and of JSON."""

from typing import Any, Literal

from pydantic import NonNegativeInt

from s3_data_lake_mcp.models import Column, Model, Scan, Source


class TablePage(Model):
    """Rows of one page of a table."""

    source: Source
    format: str
    columns: list[Column]
    rows: list[list[Any]]
    returned_rows: NonNegativeInt
    offset: NonNegativeInt
    total_rows: int | None
    """Exact, or null when not known without reading on."""
    truncated: bool
    truncated_by: str
    next_cursor: str
    notices: list[str]
    scan: Scan


class Dialect(Model):
    """How delimited text was read."""

    delimiter: str
    quote: str
    escape: str
    encoding: str
    has_header: bool
    compression: str
    newline: str


class CsvPage(TablePage):
    """Answer of `read_csv_from_s3`."""

    dialect: Dialect


class JsonPage(Model):
    """Answer of `read_json_from_s3`."""

    source: Source
    format: Literal["json"]
    layout: Literal["array", "lines", "object", "scalar"]
    keys: list[str]
    records: list[Any]
    data: Any
    returned_records: NonNegativeInt
    offset: NonNegativeInt
    total_records: int | None
    truncated: bool
    truncated_by: str
    next_cursor: str
    notices: list[str]
    scan: Scan


class ParquetFile(Model):
    """What the footers say."""

    num_rows: int | None
    num_row_groups: int | None
    row_groups_read: int | None
    created_by: str
    compression: str
    encrypted: bool


class ParquetPage(TablePage):
    """Answer of `read_parquet_from_s3`."""

    parquet: ParquetFile
