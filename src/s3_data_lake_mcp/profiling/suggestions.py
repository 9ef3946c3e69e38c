"""The calls that make sense after an object's metadata, complete and sure to work."""

from collections.abc import Sequence
from typing import Any

from s3_data_lake_mcp.engines.sqltext import identifier
from s3_data_lake_mcp.loaders.formats import READ_TOOLS, format_of
from s3_data_lake_mcp.profiling.contents import Contents
from s3_data_lake_mcp.storage import ObjectRef

_WIDE = 20
_FIRST = 8
_TEXTS = ("string", "large_string", "dictionary<values=string")


def suggest(ref: ObjectRef, contents: Contents | None) -> list[dict[str, Any]]:
    """Return one to three calls; where the object cannot be read, what lies beside it.

    No other tool reads an older version: what is known of one may not fit the latest.
    """
    place = {"bucket_name": ref.bucket, "object_key": ref.key}
    if ref.version_id:
        return [_beside(ref, {"prefix": ref.key}, "Its latest version, if it is not deleted.")]
    read = _read(place, contents) if contents is not None else None
    if read is None or contents is None:
        folder = ref.key.rpartition("/")
        prefix = {"prefix": folder[0] + "/"} if folder[1] else {}
        beside = _beside(ref, prefix, "What lies beside it.")
        if contents is not None and contents.format == "text" and not contents.is_damaged:
            return [_call(READ_TOOLS["csv"], place, "Its first lines, as rows."), beside]
        return [beside]
    calls = [read]
    named = format_of(ref.key)
    # SQL believes the names of CSV and Parquet, unless the content is Parquet.
    is_queried = named not in ("csv", "parquet") or contents.format in (named, "parquet")
    if is_queried and (sql := _sql(contents.columns)):
        calls.append(_call("query_csv_data", place | {"sql": sql}, "Count rows by a column."))
    if contents.columns:
        summary = {"bucket_name": ref.bucket, "prefix": ref.key}
        why = "Profile of its columns."
        if contents.format == "parquet":
            summary["basis"] = "footer"
            why = "Counts and ends of its columns, no data read."
        calls.append(_call("get_dataset_summary", summary, why))
    return calls


def _beside(ref: ObjectRef, prefix: dict[str, Any], why: str) -> dict[str, Any]:
    return _call("list_s3_objects", {"bucket_name": ref.bucket} | prefix, why)


def _call(tool: str, arguments: dict[str, Any], why: str) -> dict[str, Any]:
    return {"tool": tool, "arguments": arguments, "why": why}


def _read(place: dict[str, Any], contents: Contents) -> dict[str, Any] | None:
    described = {"csv": contents.csv, "json": contents.json, "parquet": contents.parquet}
    told = described.get(contents.format)
    if told is None or contents.is_damaged or told.get("encrypted"):
        return None
    arguments = dict(place)
    why = "Its first records." if contents.format == "json" else "Its first rows."
    if contents.format == "json" and told["layout"] in ("object", "scalar"):
        why = "Its value, or an outline of it."
    names = [column["name"] for column in contents.columns]
    if len(names) > _WIDE and contents.format != "json":
        arguments["columns"] = names[:_FIRST]
        why = f"Its first rows, {_FIRST} of {len(names):,} columns."
    return _call(READ_TOOLS[contents.format], arguments, why)


def _sql(columns: Sequence[dict[str, Any]]) -> str:
    """Return a query that counts rows by the first column of text, or of anything that groups."""
    # SQL has no empty names: it calls such a column otherwise.
    named = [c for c in columns if c["name"]]
    plain = [c for c in named if not c["type"].startswith(("list", "struct", "map", "binary"))]
    texts = [c for c in plain if c["type"].startswith(_TEXTS)]
    if not plain:
        return ""
    name = identifier((texts or plain)[0]["name"])
    return f"SELECT {name}, count(*) AS n FROM data GROUP BY 1 ORDER BY n DESC LIMIT 20"  # noqa: S608 - quoted
