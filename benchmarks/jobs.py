"""The jobs: what is asked of every side, what the right answer is, and how fast it could be."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from generate import DATASETS, HIVES
from queries import Query

ROWS: Final = 100
LAKE: Final = "lake"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work.

    `dataset` names what in `generate` is read. `op` and `request` go to the sides. `ordered` says
    whether the order of the rows is part of the answer. The floor is `round_trips` of latency, the
    bytes of what `moves` (of `columns`, if it is Parquet; none means all), and, with `local`, what
    DuckDB needs for the same file on disk. `peers_from` names the job whose measurements of the
    other sides stand for theirs here too, because they would do the same. `folder` says that a
    cache on disk is worth a side of its own: the object is larger than the one in memory.
    """

    name: str
    title: str
    group: str
    op: str
    dataset: str = ""
    request: Mapping[str, Any]
    ordered: bool = False
    round_trips: int = 1
    moves: Literal["", "rows", "row group", "columns", "whole"] = ""
    columns: Sequence[str] = ()
    local: bool = False
    folder: bool = False
    peers_from: str = ""
    skip: Mapping[str, str] = field(default_factory=dict)


_BY_INDUSTRY: Final = Query(
    filters=(("industry", "=", "Finance"), ("employees", ">", 50)),
    group=("region", "segment"),
    aggregates=(
        ("count", "*", "customers"),
        ("sum", "annual_revenue", "revenue"),
        ("avg", "credit_score", "score"),
    ),
)
_BY_PLAN: Final = Query(
    filters=(("user.country", "=", "DE"), ("amount", ">", 20)),
    group=("user.plan", "type"),
    aggregates=(("count", "*", "events"), ("sum", "amount", "amount")),
)
_THREE: Final = Query(
    group=("site",),
    aggregates=(("avg", "temperature", "mean"), ("max", "humidity", "most")),
)
_BY_REGION: Final = Query(
    filters=(("status", "=", "ok"), ("batch", ">", 50)),
    group=("region", "model"),
    aggregates=(
        ("count", "*", "n"),
        ("avg", "power", "power"),
        ("max", "vibration_x", "vibration"),
    ),
)
_COUNT: Final = Query()
_NOT_TOGETHER: Final = {
    "whole": "8 whole objects do not fit in memory",
    "engine": "a worker does one job at a time",
}


def _head(name: str, title: str, dataset: str, *, round_trips: int = 1) -> Job:
    return Job(
        name=name,
        title=title,
        group="pages",
        op="page",
        dataset=dataset,
        request={"offset": 0, "rows": ROWS},
        ordered=True,
        round_trips=round_trips,
        moves="row group" if dataset.endswith("parquet") else "rows",
    )


def _query(
    name: str,
    title: str,
    dataset: str,
    query: Query,
    *,
    local: bool = True,
    folder: bool = False,
) -> Job:
    parquet = DATASETS[dataset].format == "parquet"
    return Job(
        name=name,
        title=title,
        group="scans",
        op="query",
        dataset=dataset,
        request={"query": query.to_json()},
        round_trips=2 if parquet else 1,
        moves="columns" if parquet else "whole",
        columns=query.columns if parquet else (),
        local=local,
        folder=folder,
    )


def _pages(scale: float) -> list[Job]:
    offset = DATASETS["csv"].rows_at(scale) // 5
    by_offset = replace(
        _head("csv_page_offset", f"CSV: {ROWS} rows at row {offset:,}, cold, by offset", "csv"),
        request={"offset": offset, "rows": ROWS},
    )
    by_cursor = replace(
        by_offset,
        name="csv_page_cursor",
        title=f"CSV: {ROWS} rows at row {offset:,}, by cursor",
        request={"offset": offset, "rows": ROWS, "via": "cursor"},
        peers_from="csv_page_offset",
    )
    return [
        _head("csv_head", f"CSV: first {ROWS} rows", "csv"),
        by_offset,
        by_cursor,
        _head("lines_head", f"JSON Lines: first {ROWS} records", "lines"),
        _head("array_head", f"JSON array: first {ROWS} records", "array"),
        _head(
            "parquet_head", f"Parquet: first {ROWS} rows of 30 columns", "parquet", round_trips=2
        ),
    ]


def _scans(scale: float) -> list[Job]:
    first = 1_000_000 + DATASETS["parquet"].rows_at(scale) // 2 * 3
    by_key = Query(
        filters=(("reading_id", ">=", first), ("reading_id", "<", first + 3_000)),
        aggregates=(("count", "*", "n"), ("avg", "temperature", "mean")),
    )
    return [
        _query(
            "csv_query",
            "CSV: filter and group-by over everything",
            "csv",
            _BY_INDUSTRY,
            folder=True,
        ),
        _query("csv_count", "CSV: number of rows", "csv", _COUNT),
        _query("gz_query", "gzip CSV: filter and group-by", "gz", _BY_INDUSTRY),
        _query(
            "lines_query",
            "JSON Lines: filter on a nested field, group-by",
            "lines",
            _BY_PLAN,
            folder=True,
        ),
        _query(
            "array_query",
            "JSON array: filter on a nested field, group-by",
            "array",
            _BY_PLAN,
            folder=True,
        ),
        _query("parquet_columns", "Parquet: 3 of 30 columns", "parquet", _THREE),
        _query("parquet_query", "Parquet: filter and group-by", "parquet", _BY_REGION),
        replace(
            _query("parquet_key", "Parquet: range of the sorted key", "parquet", by_key),
            moves="row group",
        ),
    ]


def _hives() -> list[Job]:
    return [
        _hive("hive_200", "Hive, 200 files: one day, one region", "dt=2025-11-20/area=north"),
        _hive("hive_365", "Hive, 365 files: one day", "dt=2026-03-01"),
        Job(
            name="csv_300",
            title="300 CSV objects: filter and group-by",
            group="hives",
            op="query",
            dataset="csv_300",
            request={
                "query": _BY_INDUSTRY.to_json(),
                "glob": f"{HIVES['csv_300'].prefix}/*/*.csv",
            },
            round_trips=3,
            moves="whole",
        ),
    ]


def _hive(name: str, title: str, folder: str) -> Job:
    parts = [part.split("=") for part in folder.split("/")]
    query = Query(
        filters=tuple((column, "=", value) for column, value in parts),
        aggregates=(("count", "*", "n"), ("avg", "temperature", "mean")),
    )
    depth = "/".join("*" for _ in parts)
    return Job(
        name=name,
        title=title,
        group="hives",
        op="query",
        dataset=name,
        request={"query": query.to_json(), "glob": f"{HIVES[name].prefix}/{depth}/*.parquet"},
        round_trips=3,
        local=False,
    )


def _profiles() -> list[Job]:
    def profile(name: str, title: str, dataset: str, op: str) -> Job:
        return Job(name=name, title=title, group="scans", op=op, dataset=dataset, request={})

    return [
        replace(
            profile("csv_profile", "CSV: exact profile of 19 columns", "csv", "profile"),
            moves="whole",
            local=True,
        ),
        profile("parquet_footer", "Parquet: profile from the footer", "parquet", "footer"),
        profile("parquet_sample", "Parquet: profile of a sample", "parquet", "sample"),
        profile("csv_sample", "CSV: profile of a sample", "csv", "sample"),
    ]


def _listings() -> list[Job]:
    def listing(name: str, count: int) -> Job:
        return Job(
            name=f"find_{name}",
            title=f"find one of {count:,} keys by its name",
            group="listings",
            op="find",
            request={
                "bucket": f"keys{name}",
                "prefix": f"keys{name}/",
                "name": f"part-{count - 7:06d}.csv",
            },
            # A delimiter shows the folders, then their pages come side by side.
            round_trips=2,
        )

    access = Job(
        name="buckets",
        title="36 buckets: who may be read",
        group="listings",
        op="buckets",
        request={"bucket": LAKE},
        round_trips=2,
    )
    return [listing("10k", 10_000), listing("100k", 100_000), access]


def _demo() -> list[Job]:
    sizes = {"demo_csv": "10 MB CSV", "demo_json": "40 MB JSON", "demo_parquet": "3 MB Parquet"}
    queries = {"demo_csv": _BY_INDUSTRY, "demo_json": _BY_PLAN, "demo_parquet": _BY_REGION}
    jobs = []
    for dataset, size in sizes.items():
        trips = 2 if dataset == "demo_parquet" else 1
        page = _head(f"{dataset}_page", f"{size}: first page", dataset, round_trips=trips)
        query = _query(f"{dataset}_query", f"{size}: one query", dataset, queries[dataset])
        jobs += [replace(page, group="demo"), replace(query, group="demo")]
    return jobs


def _together() -> list[Job]:
    pages = replace(
        _head("together_pages", "8 at once: first page of 8 CSV objects", "csv"),
        op="together",
        group="together",
        request={"op": "page", "offset": 0, "rows": ROWS, "times": 8, "apart": True},
        skip=_NOT_TOGETHER,
    )
    queries = replace(
        _query("together_queries", "8 at once: group-by over the same CSV", "csv", _BY_INDUSTRY),
        op="together",
        group="together",
        request={"op": "query", "query": _BY_INDUSTRY.to_json(), "times": 8, "apart": False},
        skip=_NOT_TOGETHER,
    )
    return [pages, queries]


_PARTS: Final[Sequence[Callable[[float], list[Job]]]] = (
    _pages,
    _scans,
    lambda _: _profiles(),
    lambda _: _hives(),
    lambda _: _listings(),
    lambda _: _demo(),
    lambda _: _together(),
)


def all_jobs(scale: float) -> list[Job]:
    """Return the jobs at a scale, in the order of the report."""
    return [job for part in _PARTS for job in part(scale)]


def build_request(job: Job, alias: str) -> dict[str, Any]:
    """Return what a side is asked, with the object behind a name that nobody has seen yet."""
    request = {"op": job.op, "bucket": LAKE, **job.request}
    if job.dataset in DATASETS:
        dataset = DATASETS[job.dataset]
        request |= {"key": alias + dataset.key, "plain_key": dataset.key, "format": dataset.format}
    elif job.dataset in HIVES:
        glob = request.pop("glob")
        form = HIVES[job.dataset].format
        request |= {"key": alias + glob, "plain_key": glob, "format": form}
    elif job.op == "find":
        request["prefix"] = alias + request["prefix"]
    if job.op != "together":
        return request
    times, apart, op = request.pop("times"), request.pop("apart"), job.request["op"]
    each = [
        request | {"op": op, "key": f"run-{number}{alias[4:]}{request['plain_key']}"}
        if apart
        else request | {"op": op}
        for number in range(1, times + 1)
    ]
    return reworded({"op": "together", "requests": each}, alias)


def reworded(request: Mapping[str, Any], words: str) -> dict[str, Any]:
    """Return a request in other words, so that its answer is not one that was given before."""
    if request["op"] != "together":
        return {**request, "words": words}
    each = enumerate(request["requests"], start=1)
    return {**request, "requests": [reworded(one, f"{words} {number}") for number, one in each]}
