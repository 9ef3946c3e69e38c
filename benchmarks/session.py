"""Run the jobs: every side in turn, each run on an object that no side has seen before."""

import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from floor import bytes_moved, floor_seconds
from generate import DATASETS, warm_key
from jobs import Job, build_request, reworded
from lab import SIDES, BedProcess, Side, SideError, UnsupportedError
from measure import Meter
from truth import Truth

OWN: Final = ("server", "disk", "engine")
_FIRST_ALIAS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run cost, and what was wrong with its answer."""

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    requests: int
    bytes_out: int
    peak_in_flight: int
    wrong: str


@dataclass(slots=True, kw_only=True)
class Result:
    """All runs of one job by one side; `failure` says why there are none, or no more."""

    first: list[Run] = field(default_factory=list)
    second: list[Run] = field(default_factory=list)
    again: list[Run] = field(default_factory=list)
    failure: str = ""

    def summary(self) -> dict[str, Any]:
        """Return medians and spread."""
        return {
            "failure": self.failure,
            "wrong": next(
                (run.wrong for run in (*self.first, *self.second, *self.again) if run.wrong), ""
            ),
            "first": _medians(self.first),
            "second": _medians(self.second),
            "again": _medians(self.again),
        }


def _medians(runs: Sequence[Run]) -> dict[str, Any] | None:
    if not runs:
        return None
    rows = [asdict(run) for run in runs]
    seconds = [run.seconds for run in runs]
    figures = {
        name: statistics.median(row[name] for row in rows) for name in rows[0] if name != "wrong"
    }
    # A peak is a peak: not the median of peaks.
    figures["peak_bytes"] = max(run.peak_bytes for run in runs)
    return figures | {"least": min(seconds), "most": max(seconds), "runs": len(runs)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to run and how often; after `budget_seconds` a side runs a job no further time."""

    scale: float
    profile: str
    sides: Sequence[str]
    runs: int
    budget_seconds: float
    fresh: bool
    """Whether every job gets fresh processes, so that its memory is its own."""


class Session:
    """The sides at work."""

    def __init__(self, bed: BedProcess, plan: Plan, truth: Truth) -> None:
        self._bed = bed
        self._plan = plan
        self._truth = truth
        self._sides: dict[str, Side] = {}
        self._group = ""
        self._alias = _FIRST_ALIAS
        self.versions: dict[str, str] = {}

    def run(self, job: Job) -> dict[str, Any]:
        """Run a job on every side that it is for, and return its figures."""
        group = job.name if self._plan.fresh else ("pages" if job.group == "pages" else "others")
        if group != self._group:
            self.close()
            self._group = group
        unfit = {name for name, fits in (("local", job.local), ("disk", job.folder)) if not fits}
        names = [name for name in self._plan.sides if name not in unfit]
        if job.peers_from:
            names = [name for name in names if name in OWN]
        results = {name: Result(failure=job.skip.get(name, "")) for name in names}
        for name, result in results.items():
            if not result.failure:
                self._guarded(name, result, lambda side: self._warm(side, job))
        for number in range(self._plan.runs):
            turn = number % max(1, len(names))
            for name in names[turn:] + names[:turn]:
                result = results[name]
                if not result.failure and self._affordable(result):
                    self._guarded(name, result, lambda side, r=result: self._round(side, job, r))
        return self._figures(job, results)

    def _affordable(self, result: Result) -> bool:
        own = result.second if result.second is not result.first else []
        spent = sum(run.seconds for run in (*result.first, *own))
        return spent < self._plan.budget_seconds

    def _guarded(self, name: str, result: Result, act: Any) -> None:  # noqa: ANN401 - a callable
        try:
            side = self._sides.get(name)
            if side is None or not side.alive:
                side = self._sides[name] = Side(SIDES[name], self._bed)
                self.versions |= side.versions
            act(side)
        except UnsupportedError as error:
            result.failure = f"cannot: {error}"
        except (SideError, OSError) as error:
            result.failure = f"failed: {error}"

    def _next_alias(self) -> str:
        self._alias += 1
        return f"run-{self._alias}/"

    def _warm(self, side: Side, job: Job) -> None:
        """Do the like on a small object before the clock, so that all libraries are loaded."""
        alias = self._next_alias()
        request = build_request(job, alias)
        if job.dataset in DATASETS:
            request = _small(request, job.dataset)
        elif job.op == "find":
            request["prefix"] += "00/year=2000/"
        if request.get("via") == "cursor":
            side.ask(request | {"op": "prepare"})
        side.ask(request)

    def _round(self, side: Side, job: Job, result: Result) -> None:
        alias = self._next_alias()
        request = build_request(job, alias)
        if request.get("via") == "cursor":
            side.ask(request | {"op": "prepare"})
        result.first.append(self._measure(side, job, request))
        if side.kind.keeps:
            if request.get("via") == "cursor":
                side.ask(request | {"op": "prepare"})
            result.second.append(self._measure(side, job, reworded(request, f"{alias} second")))
            if job.op == "query" and side.kind.name in OWN:
                result.again.append(self._measure(side, job, request))
        else:
            result.second = result.first

    def _measure(self, side: Side, job: Job, request: Mapping[str, Any]) -> Run:
        meter = Meter(side.pid, side.kind.harness)
        self._bed.stats()
        self._bed.reset()
        meter.start()
        try:
            seconds, answer = side.ask(request)
        finally:
            meter.stop()
        stats = self._bed.stats()
        return Run(
            seconds=seconds,
            cpu_seconds=meter.cpu_seconds,
            peak_bytes=meter.peak_bytes,
            requests=stats["total"],
            bytes_out=stats["bytes_out"],
            peak_in_flight=stats["peak_in_flight"],
            wrong=self._truth.verdict(job, answer),
        )

    def _figures(self, job: Job, results: Mapping[str, Result]) -> dict[str, Any]:
        summaries = {name: result.summary() for name, result in results.items()}
        local = (summaries.get("local") or {}).get("second")
        moved = bytes_moved(job, self._bed.root, self._plan.scale)
        seconds = local["seconds"] if local else None
        floors = {
            run: floor_seconds(job, moved, self._plan.profile, seconds, first=run == "first")
            for run in ("first", "second", "again")
        }
        return {
            "name": job.name,
            "title": job.title,
            "group": job.group,
            "peers_from": job.peers_from,
            "floor": floors if job.moves or not job.dataset else {},
            "floor_bytes": moved,
            "sides": summaries,
        }

    def close(self) -> None:
        """End all sides."""
        for side in self._sides.values():
            side.stop()
        self._sides.clear()


def _small(request: Mapping[str, Any], dataset: str) -> dict[str, Any]:
    """Return the request on the small object of the same kind."""
    if "requests" in request:
        return {**request, "requests": [_small(each, dataset) for each in request["requests"]]}
    key = warm_key(DATASETS[dataset])
    alias = request["key"].removesuffix(request["plain_key"])
    small = {**request, "key": alias + key, "plain_key": key}
    if request.get("offset"):
        small["offset"] = 10
    if "rows" in request:
        small["rows"] = 10
    return small


def run_all(session: Session, jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Run jobs one after the other, saying on standard error how far it is."""
    figures = []
    for number, job in enumerate(jobs, 1):
        began = time.monotonic()
        done = session.run(job)
        figures.append(done)
        server = (done["sides"].get("server") or {}).get("first")
        told = f"{server['seconds'] * 1000:,.0f} ms" if server else "-"
        sys.stderr.write(
            f"[{number}/{len(jobs)}] {job.title}: {told} ({time.monotonic() - began:.1f} s)\n"
        )
    session.close()
    return figures
