"""Make the data sets, once, in a cache outside the repository.

`python benchmarks/generate.py --scale 0.02`. What exists and was made by the same relation is kept.
Memory stays bounded: files are written block by block.
"""

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Final

import duckdb
import pyarrow.parquet as pq
from tables import MACROS, relation

ROW_GROUP: Final = 300_000
WARM_ROWS: Final = 1_000
_BUCKETS: Final = 30
_WORTH_TELLING: Final = 1_000_000
_DENIED: Final = 3
_START: Final = date(2025, 11, 1)
_REGIONS: Final = ("central", "east", "north", "south", "west")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One object of the lake: `rows` at full scale; what is not `scaled` is always that large."""

    key: str
    relation: str
    rows: int
    format: str
    scaled: bool = True

    def rows_at(self, scale: float) -> int:
        """Return the number of rows at a scale."""
        return max(1_000, int(self.rows * scale)) if self.scaled else self.rows


DATASETS: Final = {
    "csv": Dataset(key="csv/customers.csv", relation="customers", rows=5_000_000, format="csv"),
    "gz": Dataset(key="csv/customers.csv.gz", relation="customers", rows=2_600_000, format="csv"),
    "lines": Dataset(key="json/events.jsonl", relation="events", rows=2_640_000, format="jsonl"),
    "array": Dataset(key="json/orders.json", relation="events", rows=1_300_000, format="json"),
    "parquet": Dataset(
        key="parquet/readings.parquet", relation="readings", rows=7_200_000, format="parquet"
    ),
    "demo_csv": Dataset(
        key="demo/customers.csv", relation="customers", rows=47_000, format="csv", scaled=False
    ),
    "demo_json": Dataset(
        key="demo/orders.json", relation="events", rows=105_000, format="json", scaled=False
    ),
    "demo_parquet": Dataset(
        key="demo/readings.parquet",
        relation="readings",
        rows=36_000,
        format="parquet",
        scaled=False,
    ),
}
"""By the name that jobs use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hive:
    """A partitioned data set: one file for each day, or for each day and region.

    `format` is that of its objects, as the sides know it of a set.
    """

    prefix: str
    days: int
    rows: int
    regions: bool = False
    relation: str = "readings"
    format: str = "hive"

    @property
    def suffix(self) -> str:
        """Return what keys end with."""
        return "parquet" if self.format == "hive" else "csv"

    def files(self) -> Iterator[tuple[str, int]]:
        """Yield each file's key and number."""
        number = 0
        for day in range(self.days):
            folder = f"{self.prefix}/dt={_START + timedelta(days=day)}"
            for region in _REGIONS if self.regions else ("",):
                below = f"/area={region}" if region else ""
                yield f"{folder}{below}/part-0.{self.suffix}", number
                number += 1


HIVES: Final = {
    "hive_200": Hive(prefix="hive200", days=40, regions=True, rows=4_000),
    "hive_365": Hive(prefix="hive365", days=365, rows=2_000),
    "csv_300": Hive(prefix="csv300", days=300, rows=1_500, relation="customers", format="csvs"),
}


def lake_root(scale: float) -> Path:
    """Return the folder that the stand-in serves at a scale."""
    default = Path.home() / ".cache" / "s3-data-lake-mcp" / "bench"
    base = Path(os.environ.get("S3_DATA_LAKE_BENCH_DIR", default))
    return base / f"scale-{scale:g}"


class _Maker:
    """Makes what is missing; `stamps.json` remembers what each file was made from."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._stamps_path = root.with_name(f"{root.name}.stamps.json")
        self._stamps: dict[str, str] = {}
        if self._stamps_path.exists():
            self._stamps = json.loads(self._stamps_path.read_text())
        self._connection = duckdb.connect()
        for macro in MACROS:
            self._connection.execute(macro)

    def make(self, name: str, recipe: str, write: Callable[[Path], None]) -> None:
        """Write a file or folder unless it is there, made by the same recipe."""
        path = self._root / name
        stamp = hashlib.sha256("\n".join((*MACROS, recipe)).encode()).hexdigest()
        if path.exists() and self._stamps.get(name) == stamp:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._root.parent / f"{path.name}.partial"
        write(unfinished)
        unfinished.rename(path)
        self._stamps[name] = stamp
        self._stamps_path.write_text(json.dumps(self._stamps, indent=1))
        if path.stat().st_size > _WORTH_TELLING:
            sys.stderr.write(f"made {name}: {path.stat().st_size / 1e6:,.1f} MB\n")

    def text(self, name: str, sql: str, options: str) -> None:
        """Write CSV or JSON."""
        copy = f"COPY ({sql}) TO '$path' ({options})"

        def write(path: Path) -> None:
            self._connection.execute(copy.replace("$path", str(path)))

        self.make(name, copy, write)

    def parquet(self, name: str, table: str, start: int, rows: int) -> None:
        """Write Parquet as pyarrow does: snappy, one block of rows at a time."""

        def write(path: Path) -> None:
            writer = None
            for low in range(start, start + rows, ROW_GROUP):
                high = min(low + ROW_GROUP, start + rows)
                block = self._connection.sql(relation(table, low, high)).to_arrow_table()
                writer = writer or pq.ParquetWriter(path, block.schema, compression="snappy")
                writer.write_table(block)
            if writer:
                writer.close()

        self.make(name, f"parquet {ROW_GROUP} {relation(table, start, start + rows)}", write)


_OPTIONS: Final = {
    "csv": "FORMAT csv, HEADER true",
    "jsonl": "FORMAT json",
    "json": "FORMAT json, ARRAY true",
}


def _make_dataset(maker: _Maker, key: str, dataset: Dataset, rows: int) -> None:
    if dataset.format == "parquet":
        maker.parquet(f"lake/{key}", dataset.relation, 0, rows)
        return
    options = _OPTIONS[dataset.format]
    if key.endswith(".gz"):
        options += ", COMPRESSION gzip"
    maker.text(f"lake/{key}", relation(dataset.relation, 0, rows), options)


def warm_key(dataset: Dataset) -> str:
    """Return the key of the small object of the same kind, for what is done before the clock."""
    return f"warm/{dataset.key.rpartition('/')[2]}"


def _keys(folder: str, count: int) -> str:
    return "".join(f"{folder}/{synthetic_key(n)}\t{n * 37 % 9973}\n" for n in range(count))


def synthetic_key(number: int) -> str:
    """Return the key, below its folder, of an object that is only listed."""
    return f"{number % 40:02d}/year={2000 + number % 26}/part-{number:06d}.csv"


def generate(scale: float) -> Path:
    """Make all that is missing at a scale, and return the folder to serve."""
    root = lake_root(scale)
    root.mkdir(parents=True, exist_ok=True)
    maker = _Maker(root)
    for dataset in DATASETS.values():
        _make_dataset(maker, warm_key(dataset), dataset, WARM_ROWS)
        _make_dataset(maker, dataset.key, dataset, dataset.rows_at(scale))
    for hive in HIVES.values():
        for key, number in hive.files():
            start, name = number * hive.rows, f"lake/{key}"
            if hive.format == "hive":
                maker.parquet(name, hive.relation, start, hive.rows)
            else:
                rows = relation(hive.relation, start, start + hive.rows)
                maker.text(name, rows, _OPTIONS[hive.suffix])
    for folder, count in (("keys10k", 10_000), ("keys100k", 100_000)):
        text = _keys(folder, count)
        maker.make(f"{folder}/.keys.tsv", text, partial(_write, text))
    for number in range(_BUCKETS):
        (root / f"team-{number:02d}").mkdir(exist_ok=True)
    for number in range(_DENIED):
        (root / f"denied-{number:02d}").mkdir(exist_ok=True)
    return root


def bucket_truth() -> dict[str, str]:
    """Return every bucket's access."""
    readable = [
        "lake",
        "keys10k",
        "keys100k",
        *(f"team-{number:02d}" for number in range(_BUCKETS)),
    ]
    denied = [f"denied-{number:02d}" for number in range(_DENIED)]
    return dict.fromkeys(readable, "readable") | dict.fromkeys(denied, "denied")


def _write(text: str, path: Path) -> None:
    path.write_text(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--scale", type=float, default=1.0)
    print(generate(parser.parse_args().scale))
