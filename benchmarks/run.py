"""Compare this server with what people would use instead, on the same work, in one run.

    uv run benchmarks/run.py --scale 0.02      all of it, small: under three minutes
    uv run benchmarks/run.py                   full scale: under 45 minutes
    uv run benchmarks/run.py --publish         full scale, into docs/
    uv run benchmarks/run.py --only csv_query,csv_head --sides server,local --runs 5

Data is made on first use, in `$S3_DATA_LAKE_BENCH_DIR` or `~/.cache/s3-data-lake-mcp/bench`; the
last report lies there too, as `report.md` and `report.json`.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bed import PROFILES
from chart import to_svg
from generate import generate
from jobs import Job, all_jobs
from lab import SIDES, BedProcess
from report import to_markdown
from session import Plan, Session, run_all
from special import cold_start, machine, overhead, small_query, tokens
from truth import Truth

SPECIAL: Final = ("cold_start", "overhead", "small_query", "tokens")
_SMALL: Final = 0.5
_ONLY_AT_FULL_SCALE: Final = ("find_100k",)
_DOCS: Final = Path(__file__).parents[1] / "docs"


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=1.0, help="size of the data, 1 is full")
    parser.add_argument("--profile", choices=sorted(PROFILES), default="s3")
    parser.add_argument("--only", default="", help="comma-separated jobs; see --list")
    parser.add_argument(
        "--sides",
        default="",
        help="comma-separated sides; default all; small scales no engine, no disk",
    )
    parser.add_argument("--runs", type=int, default=0, help="rounds; default 5, small scales 2")
    parser.add_argument(
        "--budget", type=float, default=0, help="seconds after which a side repeats a job no more"
    )
    parser.add_argument("--list", action="store_true", help="show jobs and sides, and end")
    parser.add_argument("--publish", action="store_true", help="write docs/performance.*")
    options = parser.parse_args(argv)
    small = options.scale < _SMALL
    options.runs = options.runs or (2 if small else 5)
    options.budget = options.budget or (1 if small else 20)
    sides = options.sides.split(",") if options.sides else SIDES
    own = {"engine", "disk"} if small and not options.sides else set[str]()
    options.sides = [name for name in sides if name not in own]
    options.only = [name for name in options.only.split(",") if name]
    known = {job.name for job in all_jobs(options.scale)} | set(SPECIAL)
    for name in {*options.only} - known:
        parser.error(f"no job {name}; there are {', '.join(sorted(known))}")
    for name in {*options.sides} - SIDES.keys():
        parser.error(f"no side {name}; there are {', '.join(SIDES)}")
    if options.publish and (small or options.only or options.profile != "s3"):
        parser.error("only a full run on profile s3 is published")
    return options


def _run(options: argparse.Namespace, jobs: Sequence[Job]) -> dict[str, Any]:
    root = generate(options.scale)
    with BedProcess(root, options.profile) as bed:
        plan = Plan(
            scale=options.scale,
            profile=options.profile,
            sides=options.sides,
            runs=options.runs,
            budget_seconds=options.budget,
            fresh=options.scale >= _SMALL,
        )
        session = Session(bed, plan, Truth(root, options.scale))
        figures = run_all(session, jobs)
        special = _run_special(options, bed)
    return {
        "date": datetime.now(UTC).strftime("%-d %B %Y"),
        "command": shlex.join(["uv", "run", "benchmarks/run.py", *sys.argv[1:]]),
        "machine": machine(),
        "versions": session.versions,
        "scale": options.scale,
        "profile": options.profile,
        "sides": options.sides,
        "jobs": figures,
        "special": special,
    }


def _run_special(options: argparse.Namespace, bed: BedProcess) -> dict[str, Any]:
    wanted = [name for name in SPECIAL if not options.only or name in options.only]
    if "server" not in options.sides:
        return {}
    done: dict[str, Any] = {}
    for name in wanted:
        sys.stderr.write(f"{name}\n")
        if name == "cold_start":
            done[name] = cold_start(bed, options.sides, options.runs)
        elif name == "overhead":
            done[name] = overhead(bed)
        elif name == "small_query":
            done[name] = small_query(bed)
        else:
            done[name] = tokens(bed)
    return done


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print the report, and return 1 if an answer of this server was wrong or missing."""
    options = _options(argv)
    jobs = all_jobs(options.scale)
    if options.list:
        for job in jobs:
            print(f"{job.name:20} {job.title}")
        print(f"{', '.join(SPECIAL)}\nsides: {', '.join(SIDES)}")
        return 0
    if options.only:
        jobs = [job for job in jobs if job.name in options.only]
    elif options.scale < _SMALL:
        jobs = [job for job in jobs if job.name not in _ONLY_AT_FULL_SCALE]
    report = _run(options, jobs)
    folder = generate(options.scale).parent
    (folder / "report.json").write_text(json.dumps(report, indent=1))
    markdown = to_markdown(report)
    (folder / "report.md").write_text(markdown)
    print(markdown)
    if options.publish:
        _DOCS.mkdir(exist_ok=True)
        (_DOCS / "performance.md").write_text(to_markdown(report, chart="performance.svg"))
        (_DOCS / "performance.json").write_text(json.dumps(report, indent=1) + "\n")
        (_DOCS / "performance.svg").write_text(to_svg(report))
    mine = [job["sides"].get("server") for job in report["jobs"]]
    return int(any(side and (side["wrong"] or side["failure"]) for side in mine))


if __name__ == "__main__":
    sys.exit(main())
