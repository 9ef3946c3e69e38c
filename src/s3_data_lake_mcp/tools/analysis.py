"""Analysis: SQL over objects, summaries of datasets, metadata of one object."""

from typing import Annotated, Literal

from fastmcp.dependencies import Depends
from pydantic import Field

from s3_data_lake_mcp.errors import InvalidArgumentError
from s3_data_lake_mcp.lake import Call
from s3_data_lake_mcp.models.analysis import DatasetSummary, FileMetadata, QueryPage
from s3_data_lake_mcp.tools.context import current_call, is_offered

Operator = Literal[
    "auto",
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "contains",
    "starts_with",
    "ends_with",
    "in",
    "is_null",
    "not_null",
]


def query_csv_data(
    bucket_name: str,
    object_key: str = "",
    sql: str = "",
    filter_column: str = "",
    filter_operator: Operator = "auto",
    filter_value: str = "",
    columns: list[str] = [],
    max_rows: Annotated[int, Field(ge=1)] = 100,
    dry_run: bool = False,
    cursor: str = "",
    *,
    call: Call = Depends(current_call),
) -> QueryPage:
    """Query CSV, JSON, JSON Lines or Parquet, one object or many, with SQL or a simple filter.

    SQL is one read-only DuckDB statement over the table data; other objects may be joined as
    quoted URIs: FROM data JOIN 's3://bucket/customers.parquet' c USING (id).

    Args:
        bucket_name: Bucket, or a whole s3://bucket/key URI.
        object_key: Object key, prefix ending in /, or glob.
        sql: Statement, like SELECT city, count(*) FROM data GROUP BY 1.
        filter_column: Simple form: column to filter on.
        filter_operator: auto is contains (in any case) for text, = (exact) otherwise.
        filter_value: Value; for in, a comma-separated list.
        columns: Simple form: columns to return.
        max_rows: Most rows to return.
        dry_run: Only say what would be read.
        cursor: next_cursor of the page before.
        call: Injected by the server.
    """
    if sql and (filter_column or filter_value or columns or filter_operator != "auto"):
        message = "sql cannot be combined with a filter or columns"
        raise InvalidArgumentError(message, hint="Put the filter and the columns into the SQL.")
    if not filter_column and (filter_value or filter_operator != "auto"):
        message = "filter_column is missing"
        raise InvalidArgumentError(message, hint="Name the column that the filter is on.")
    answer = call.work(
        "query",
        bucket=bucket_name,
        key=object_key,
        sql=sql,
        filter_column=filter_column,
        filter_operator=filter_operator,
        filter_value=filter_value,
        columns=columns,
        max_rows=max_rows,
        dry_run=dry_run,
    )
    return QueryPage.model_validate(answer)


def get_dataset_summary(
    bucket_name: str,
    prefix: str = "",
    columns: list[str] = [],
    basis: Literal["auto", "exact", "footer", "sample"] = "auto",
    *,
    call: Call = Depends(current_call),
) -> DatasetSummary:
    """Summarize what lies under a prefix: inventory, datasets and, for one of them, a profile.

    Args:
        bucket_name: Bucket, or a whole s3://bucket/prefix URI.
        prefix: Prefix, object key or glob; empty: the whole bucket.
        columns: Columns to profile; none means all.
        basis: What the profile rests on; footer reads no data.
        call: Injected by the server.
    """
    answer = call.work("summary", bucket=bucket_name, prefix=prefix, columns=columns, basis=basis)
    return DatasetSummary.model_validate(answer)


def get_file_metadata(
    bucket_name: str,
    object_key: str = "",
    version_id: str = "",
    *,
    call: Call = Depends(current_call),
) -> FileMetadata:
    """Describe one object: storage, encryption, format, columns, rows, and the best next call.

    Args:
        bucket_name: Bucket, or a whole s3://bucket/key URI.
        object_key: Object key.
        version_id: Version to describe; empty: the latest.
        call: Injected by the server.
    """
    answer = call.work("metadata", bucket=bucket_name, key=object_key, version_id=version_id)
    suggested = answer["suggested_calls"]
    answer["suggested_calls"] = [
        one for one in suggested if is_offered(one["tool"], call.lake.settings)
    ]
    return FileMetadata.model_validate(answer)
