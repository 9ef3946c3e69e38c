# /// script
# requires-python = ">=3.12,<3.13"
# dependencies = ["polars==2.1.0"]
# ///
"""Polars' lazy scans, tuned for wide fetching as its authors advise."""

import os

# Read when polars is imported: more connections and larger chunks are its best on large files.
os.environ.setdefault("POLARS_CONCURRENCY_BUDGET", "16")

import functools
from typing import TYPE_CHECKING, Any

import polars as pl
from protocol import NotSupportedError, Request, endpoint, serve
from queries import Query, leaf

if TYPE_CHECKING:
    from collections.abc import Mapping

_OPTIONS = {
    "aws_access_key_id": "bench",
    "aws_secret_access_key": "bench",
    "aws_region": "us-east-1",
    "aws_endpoint_url": endpoint(),
    "aws_allow_http": "true",
    "aws_virtual_hosted_style_request": "false",
}


def _scan(request: Request) -> pl.LazyFrame:
    place = f"s3://{request['bucket']}/{request['key']}"
    match request["format"]:
        case "csv" | "csvs":
            return pl.scan_csv(place, storage_options=_OPTIONS, try_parse_dates=True)
        case "jsonl":
            return pl.scan_ndjson(place, storage_options=_OPTIONS)
        case "parquet":
            return pl.scan_parquet(place, storage_options=_OPTIONS)
        case "hive":
            return pl.scan_parquet(
                place, storage_options=_OPTIONS, hive_partitioning=True, try_parse_hive_dates=False
            )
        case other:
            message = f"no lazy reader of {other}"
            raise NotSupportedError(message)


def _table(frame: pl.DataFrame) -> dict[str, Any]:
    return {"columns": frame.columns, "rows": [list(row) for row in frame.iter_rows()]}


def page(request: Request) -> dict[str, Any]:
    """Return rows by slice."""
    return _table(_scan(request).slice(request["offset"], request["rows"]).collect())


def _column(name: str) -> pl.Expr:
    first, *rest = name.split(".")
    return functools.reduce(lambda column, part: column.struct.field(part), rest, pl.col(first))


def _condition(name: str, operator: str, value: object) -> pl.Expr:
    column = _column(name)
    match operator:
        case "=":
            return column == value
        case ">":
            return column > value
        case ">=":
            return column >= value
        case "<":
            return column < value
    raise NotSupportedError(operator)


def _aggregate(function: str, name: str, alias: str) -> pl.Expr:
    if name == "*":
        return pl.len().alias(alias)
    column = _column(name)
    made: Mapping[str, pl.Expr] = {
        "count": column.count(),
        "sum": column.sum(),
        "avg": column.mean(),
        "min": column.min(),
        "max": column.max(),
    }
    return made[function].alias(alias)


def query(request: Request) -> dict[str, Any]:
    """Answer a query by expressions on the streaming engine."""
    asked = Query.from_json(request["query"])
    frame = _scan(request)
    for condition in asked.filters:
        frame = frame.filter(_condition(*condition))
    aggregates = [_aggregate(*aggregate) for aggregate in asked.aggregates]
    if asked.group:
        groups = [_column(name).alias(leaf(name)) for name in asked.group]
        frame = frame.group_by(groups).agg(aggregates)
    else:
        frame = frame.select(aggregates)
    return _table(frame.collect(engine="streaming"))


def profile(request: Request) -> dict[str, Any]:
    """Count, nulls, extremes, distinct values and means of every column."""
    frame = _scan(request)
    numeric = {name for name, type_ in frame.collect_schema().items() if type_.is_numeric()}
    names = frame.collect_schema().names()
    figures = [pl.len().alias("rows")]
    for name in names:
        column = pl.col(name)
        figures += [
            column.null_count().alias(f"{name}:nulls"),
            column.min().alias(f"{name}:min"),
            column.max().alias(f"{name}:max"),
            column.approx_n_unique().alias(f"{name}:distinct"),
        ]
        if name in numeric:
            figures.append(column.mean().alias(f"{name}:mean"))
    row = frame.select(figures).collect(engine="streaming").row(0, named=True)
    columns: dict[str, dict[str, Any]] = {name: {} for name in names}
    for figure, value in row.items():
        name, _, kind = figure.rpartition(":")
        if name:
            columns[name][kind] = value
    return {"rows": row["rows"], "columns": columns}


if __name__ == "__main__":
    serve({"page": page, "query": query, "profile": profile}, {"polars": pl.__version__})
