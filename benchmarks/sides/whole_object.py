"""The whole object into pandas, as the first servers of this kind do it."""

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pandas as pd
from protocol import NotSupportedError, Request, endpoint, serve
from queries import Query, leaf

_S3 = boto3.client(
    "s3",
    endpoint_url=endpoint(),
    region_name="us-east-1",
    aws_access_key_id="bench",
    aws_secret_access_key="bench",  # noqa: S106 - the stand-in ignores signatures
)


def _body(request: Request) -> bytes:
    body: bytes = _S3.get_object(Bucket=request["bucket"], Key=request["key"])["Body"].read()
    return body


def _records(request: Request) -> list[dict[str, Any]]:
    body = _body(request)
    if request["format"] == "json":
        records: list[dict[str, Any]] = json.loads(body)
        return records
    return [json.loads(line) for line in body.splitlines() if line.strip()]


def _frame(request: Request) -> pd.DataFrame:
    if request["format"] in {"csvs", "hive"}:
        message = "one object at a time"
        raise NotSupportedError(message)
    body = io.BytesIO(_body(request))
    if request["format"] == "parquet":
        return pd.read_parquet(body)
    if request["format"] == "csv":
        zipped = request["key"].endswith(".gz")
        return pd.read_csv(body, compression="gzip" if zipped else None)
    raise NotSupportedError(request["format"])


def page(request: Request) -> dict[str, Any]:
    """Load all, show a slice."""
    start, stop = request["offset"], request["offset"] + request["rows"]
    if request["format"] in {"json", "jsonl"}:
        return {"records": _records(request)[start:stop]}
    frame = _frame(request).iloc[start:stop]
    columns = list(frame.columns)
    records = frame.to_dict(orient="records")
    return {"columns": columns, "rows": [[record[name] for name in columns] for record in records]}


def _field(record: Mapping[str, Any], name: str) -> object:
    value: Any = record
    for part in name.split("."):
        value = value[part]
    return value


_CONDITIONS: Mapping[str, Callable[[pd.Series, object], pd.Series]] = {
    "=": lambda column, value: column == value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
    "<": lambda column, value: column < value,
}


def query(request: Request) -> dict[str, Any]:
    """Load all, filter and group in pandas."""
    asked = Query.from_json(request["query"])
    if request["format"] in {"json", "jsonl"}:
        records = _records(request)
        used = asked.columns
        frame = pd.DataFrame({name: [_field(item, name) for item in records] for name in used})
    else:
        frame = _frame(request)
    for name, operator, value in asked.filters:
        frame = frame[_CONDITIONS[operator](frame[name], value)]
    names = [*(leaf(name) for name in asked.group), *(alias for _, _, alias in asked.aggregates)]
    if not asked.group:
        rows = [[_aggregate(frame, function, name) for function, name, _ in asked.aggregates]]
        return {"columns": names, "rows": rows}
    groups = frame.groupby(list(asked.group))
    results = [_grouped(groups, function, name) for function, name, _ in asked.aggregates]
    table = pd.concat(results, axis=1).reset_index()
    return {"columns": names, "rows": table.to_numpy().tolist()}


def _aggregate(frame: pd.DataFrame, function: str, name: str) -> object:
    if name == "*":
        return len(frame)
    return float(getattr(frame[name], {"avg": "mean"}.get(function, function))())


def _grouped(groups: Any, function: str, name: str) -> Any:  # noqa: ANN401 - pandas' own
    if name == "*":
        return groups.size()
    return getattr(groups[name], {"avg": "mean"}.get(function, function))()


def profile(request: Request) -> dict[str, Any]:
    """Load all, describe every column."""
    frame = _frame(request)
    described = frame.describe(include="all")
    columns = {}
    for name in frame.columns:
        column, figures = frame[name], described[name]
        numeric = pd.api.types.is_numeric_dtype(column) and column.dtype != bool
        known = figures.get("unique")
        columns[name] = {
            "nulls": int(column.isna().sum()),
            **({"min": figures["min"], "max": figures["max"]} if numeric else {}),
            **({"mean": figures["mean"]} if numeric else {}),
            **({"distinct": known} if known is not None and known == known else {}),  # noqa: PLR0124 - not NaN
        }
    return {"rows": len(frame), "columns": columns}


def sample(request: Request) -> dict[str, Any]:
    """Load all, sample 10,000 rows of it."""
    frame = _frame(request)
    part = frame.sample(min(10_000, len(frame)), random_state=1)
    numeric = part.select_dtypes("number")
    columns = {name: {"mean": float(numeric[name].mean())} for name in numeric.columns}
    return {"rows": len(frame), "columns": columns}


if __name__ == "__main__":
    serve(
        {"page": page, "query": query, "profile": profile, "footer": profile, "sample": sample},
        {"pandas": pd.__version__, "boto3": boto3.__version__},
    )
