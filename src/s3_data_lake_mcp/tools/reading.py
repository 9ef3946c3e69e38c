"""Reading: pages of CSV, JSON and Parquet objects."""

from typing import Annotated, Literal

from fastmcp.dependencies import Depends
from pydantic import Field

from s3_data_lake_mcp.lake import Call
from s3_data_lake_mcp.models.reading import CsvPage, JsonPage, ParquetPage
from s3_data_lake_mcp.tools.context import current_call


def read_csv_from_s3(
    bucket_name: str,
    object_key: str = "",
    max_rows: Annotated[int, Field(ge=1)] = 100,
    offset: Annotated[int, Field(ge=0)] = 0,
    columns: list[str] = [],
    delimiter: str = "",
    encoding: str = "",
    has_header: Literal["auto", "true", "false"] = "auto",
    cursor: str = "",
    *,
    call: Call = Depends(current_call),
) -> CsvPage:
    """Read rows of a CSV, TSV or other delimited text object, compressed or not.

    Dialect, encoding and types are found. A first page costs one or two small requests.

    Args:
        bucket_name: Bucket, or a whole s3://bucket/key URI.
        object_key: Key of one object, no glob.
        max_rows: Most rows to return.
        offset: Rows to skip.
        columns: Columns to return, in this order; none means all.
        delimiter: Field delimiter; empty: detected.
        encoding: Text encoding; empty: detected.
        has_header: Whether the first row names the columns.
        cursor: next_cursor of the page before.
        call: Injected by the server.
    """
    answer = call.work(
        "read_csv",
        bucket=bucket_name,
        key=object_key,
        max_rows=max_rows,
        offset=offset,
        columns=columns,
        delimiter=delimiter,
        encoding=encoding,
        has_header=has_header,
    )
    return CsvPage.model_validate(answer)


def read_json_from_s3(
    bucket_name: str,
    object_key: str = "",
    max_records: Annotated[int, Field(ge=1)] = 100,
    offset: Annotated[int, Field(ge=0)] = 0,
    path: str = "",
    cursor: str = "",
    *,
    call: Call = Depends(current_call),
) -> JsonPage:
    """Read records of a JSON array or JSON Lines object, or look into a JSON document.

    Args:
        bucket_name: Bucket, or a whole s3://bucket/key URI.
        object_key: Key of one object, no glob.
        max_records: Most records to return.
        offset: Records to skip.
        path: JMESPath of the value to look into, like data.items.
        cursor: next_cursor of the page before.
        call: Injected by the server.
    """
    answer = call.work(
        "read_json",
        bucket=bucket_name,
        key=object_key,
        max_records=max_records,
        offset=offset,
        path=path,
    )
    return JsonPage.model_validate(answer)


def read_parquet_from_s3(
    bucket_name: str,
    object_key: str = "",
    max_rows: Annotated[int, Field(ge=1)] = 100,
    offset: Annotated[int, Field(ge=0)] = 0,
    columns: list[str] = [],
    where: str = "",
    cursor: str = "",
    *,
    call: Call = Depends(current_call),
) -> ParquetPage:
    """Read rows of a Parquet object or dataset; only the footer and the needed chunks are fetched.

    Args:
        bucket_name: Bucket, or a whole s3://bucket/key URI.
        object_key: Object key, prefix ending in /, or glob.
        max_rows: Most rows to return.
        offset: Rows to skip; with where, of those that match.
        columns: Columns to return, in this order; none means all.
        where: SQL predicate, like price > 10 AND dt = '2026-01-31'.
        cursor: next_cursor of the page before.
        call: Injected by the server.
    """
    answer = call.work(
        "read_parquet",
        bucket=bucket_name,
        key=object_key,
        max_rows=max_rows,
        offset=offset,
        columns=columns,
        where=where,
    )
    return ParquetPage.model_validate(answer)
