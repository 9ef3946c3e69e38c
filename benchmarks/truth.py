"""The right answers, worked out from the relations that the data was generated from.

They are kept beside the data; a question that changed is worked out anew.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from answers import check_profile, check_rows, plain
from generate import DATASETS, HIVES, bucket_truth, synthetic_key
from jobs import Job
from queries import Query
from tables import MACROS, relation


class Truth:
    """The right answer to each job."""

    def __init__(self, root: Path, scale: float) -> None:
        self._path = root.with_name(f"{root.name}.truth.json")
        self._scale = scale
        self._known: dict[str, Any] = {}
        if self._path.exists():
            self._known = json.loads(self._path.read_text())
        self._connection = duckdb.connect()
        for macro in MACROS:
            self._connection.execute(macro)

    def verdict(self, job: Job, answer: Any) -> str:  # noqa: ANN401 - whatever a side said
        """Return what is wrong with an answer, "" if nothing is."""
        if job.op == "find":
            return _check_found(job, answer["found"])
        if job.op == "buckets":
            return "" if answer == bucket_truth() else _differences(bucket_truth(), answer)
        if job.op in {"profile", "footer", "sample"}:
            distinct = job.op == "profile"
            truth = self._profile(job, distinct=distinct)
            return check_profile(truth, answer, sampled=job.op == "sample")
        truth = self._table(self._sql(job))
        if job.op == "together":
            faults = [check_rows(truth, each, ordered=job.ordered) for each in answer]
            return next((fault for fault in faults if fault), "")
        return check_rows(truth, answer, ordered=job.ordered)

    def _sql(self, job: Job) -> str:
        source = f"({self._relation(job)})"
        if "query" in job.request:
            return Query.from_json(job.request["query"]).sql(source)
        rows, offset = job.request["rows"], job.request["offset"]
        dataset = DATASETS[job.dataset]
        return relation(dataset.relation, offset, min(offset + rows, dataset.rows_at(self._scale)))

    def _relation(self, job: Job) -> str:
        if job.dataset in HIVES:
            return _hive_relation(job)
        dataset = DATASETS[job.dataset]
        return relation(dataset.relation, 0, dataset.rows_at(self._scale))

    def _table(self, sql: str) -> dict[str, Any]:
        def work_out() -> dict[str, Any]:
            self._connection.execute(sql)
            columns = [item[0] for item in self._connection.description]
            rows = plain(self._connection.fetchall())
            return {"columns": columns, "rows": rows}

        return self._remember(sql, work_out)

    def _profile(self, job: Job, *, distinct: bool) -> dict[str, Any]:
        source = f"({self._relation(job)})"
        self._connection.execute(f"DESCRIBE {source[1:-1]}")
        columns = [(row[0], row[1]) for row in self._connection.fetchall()]
        figures = ["count(*)"]
        for name, kind in columns:
            numeric = kind.startswith(("DECIMAL", "DOUBLE", "BIGINT", "INTEGER", "TINYINT"))
            column = f'"{name}"'
            mean = f"avg({column})" if numeric else "NULL"
            known = f"count(DISTINCT {column})" if distinct else "NULL"
            figures.append(
                f"{{'nulls': count(*) - count({column}), "
                f"'min': min({column}), 'max': max({column}), "
                f"'mean': {mean}, 'distinct': {known}}}"
            )
        sql = f"SELECT {', '.join(figures)} FROM {source}"  # noqa: S608 - the benchmark's own words
        row = self._table(sql)["rows"][0]
        names = [name for name, _ in columns]
        return {"rows": row[0], "columns": dict(zip(names, row[1:], strict=True))}

    def _remember(self, question: str, work_out: Any) -> dict[str, Any]:  # noqa: ANN401 - a callable
        stamp = hashlib.sha256("\n".join((*MACROS, question)).encode()).hexdigest()
        if stamp not in self._known:
            self._known[stamp] = work_out()
            self._path.write_text(json.dumps(self._known))
        known: dict[str, Any] = self._known[stamp]
        return known


def _check_found(job: Job, found: Sequence[str]) -> str:
    number = int(re.sub(r"\D", "", job.request["name"]))
    expected = job.request["prefix"] + synthetic_key(number)
    keys = [re.sub(r"^run-\d+/", "", key) for key in found]
    return "" if keys == [expected] else f"{keys} instead of [{expected!r}]"


def _hive_relation(job: Job) -> str:
    """Return the rows of the one file that filters of partitions leave, or of all."""
    hive = HIVES[job.dataset]
    if hive.format != "hive":
        return relation(hive.relation, 0, hive.days * hive.rows)
    wanted = {name: value for name, _, value in job.request["query"]["filters"]}
    folder = "/".join(f"{name}={value}" for name, value in wanted.items())
    number = next(number for key, number in hive.files() if f"/{folder}/" in key)
    extra = ", ".join(f"'{value}' AS {name}" for name, value in wanted.items())
    start = number * hive.rows
    return f"SELECT *, {extra} FROM ({relation('readings', start, start + hive.rows)})"  # noqa: S608 - the benchmark's own words


def _differences(truth: Mapping[str, str], answer: Mapping[str, str]) -> str:
    wrong = [
        f"{name}: {answer.get(name)} instead of {value}"
        for name, value in truth.items()
        if answer.get(name) != value
    ]
    return "; ".join(wrong[:4]) or f"{len(answer)} buckets instead of {len(truth)}"
