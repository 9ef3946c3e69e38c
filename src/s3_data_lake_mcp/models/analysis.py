"""The results of analysis: queries, summaries, metadata."""

from typing import Any

from pydantic import ConfigDict, Field, NonNegativeInt

from s3_data_lake_mcp.models import Column, Model, Scan, Source
from s3_data_lake_mcp.models.reading import TablePage


class Plan(Model):
    """What a query would read."""

    objects: NonNegativeInt
    bytes_total: NonNegativeInt
    bytes_estimated: NonNegativeInt
    row_groups: int | None
    columns: list[str]


class QueryPage(TablePage):
    """Answer of `query_csv_data`."""

    sources: list[Source]
    """The first 20 objects read."""
    sources_total: NonNegativeInt
    sql: str
    plan: Plan | None


class FormatCount(Model):
    """How much there is of one format."""

    objects: NonNegativeInt
    bytes: NonNegativeInt


class Largest(Model):
    """One of the largest objects."""

    key: str
    size_bytes: NonNegativeInt


class Inventory(Model):
    """What lies below the prefix."""

    objects: NonNegativeInt
    bytes: NonNegativeInt
    formats: dict[str, FormatCount]
    first_modified: str
    last_modified: str
    largest: list[Largest]
    complete: bool


class Partition(Model):
    """Values of one partition column."""

    values: NonNegativeInt
    min: Any
    max: Any


class Dataset(Model):
    """Keys that make one logical table."""

    name: str
    uri: str
    format: str
    objects: NonNegativeInt
    bytes: NonNegativeInt
    partitions: dict[str, Partition]
    schema_drift: list[str]
    warnings: list[str]
    example_key: str


class Quantiles(Model):
    """Five quantiles."""

    p05: Any
    p25: Any
    p50: Any
    p75: Any
    p95: Any


class TopValue(Model):
    """One frequent value."""

    value: Any
    count: NonNegativeInt


class Bin(Model):
    """One bin of a histogram, `[from, to)`, the last one closed."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    from_: Any = Field(alias="from")
    to: Any
    count: NonNegativeInt


class ColumnProfile(Model):
    """Profile of one column; null is what the basis cannot tell."""

    name: str
    type: str
    nulls: int | None
    null_fraction: float | None
    distinct: int | None
    min: Any
    max: Any
    mean: Any
    stddev: Any
    quantiles: Quantiles | None
    top: list[TopValue]
    histogram: list[Bin]
    basis: str


class Profile(Model):
    """Profile of one object or dataset."""

    rows: int | None
    rows_basis: str
    columns: list[ColumnProfile]
    duplicates_note: str


class DatasetSummary(Model):
    """Answer of `get_dataset_summary`."""

    bucket: str
    prefix: str
    inventory: Inventory
    datasets: list[Dataset]
    profile: Profile | None
    notices: list[str]
    scan: Scan


class Encryption(Model):
    """Encryption at rest; the key id is masked."""

    type: str
    kms_key_id: str


class SuggestedCall(Model):
    """A call that makes sense next."""

    tool: str
    arguments: dict[str, Any]
    why: str


class FileMetadata(Model):
    """Answer of `get_file_metadata`."""

    source: Source
    content_type: str
    content_encoding: str
    storage_class: str
    archived: bool
    restore_status: str
    encryption: Encryption
    user_metadata: dict[str, str]
    tags: dict[str, str] | None
    checksums: dict[str, str]
    detected_format: str
    detected_by: str
    compression: str
    columns: list[Column]
    total_rows: int | None
    parquet: dict[str, Any] | None
    csv: dict[str, Any] | None
    json_: dict[str, Any] | None = Field(alias="json")
    versions_enabled: bool | None
    suggested_calls: list[SuggestedCall]
    notices: list[str]
    scan: Scan

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)
