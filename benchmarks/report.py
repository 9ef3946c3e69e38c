"""The report of a run as Markdown: targets, a table of times, and every figure behind it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from lab import SIDES
from targets import judge, seconds_of

_RUNS: Final = (("first", ""), ("second", ", second run"), ("again", ", asked again"))
_PEERS: Final = ("whole", "httpfs", "polars", "boto3")
_WRONG_CHARS: Final = 110
_STARTS: Final = (("to `tools/list`", "tools_list"), ("to a first page", "first_answer"))
_SMALL: Final = ("an object seen before", "new objects")
_METHOD: Final = """
All sides read the same objects ({scale}) from one S3 stand-in on the same machine, which answers
after 25 ms and sends 90 MB/s per connection (no TLS, no jitter, no limit of the network card).
A first run reads an object that the side has never seen, a second run the same again, of queries in
other words (a comment); *asked again* is the very same question once more, whose answer this server
remembers. The process is warm in all. Times are medians of runs in alternation, until the answer
stands in plain Python values; this server's include MCP and its client's parsing. Memory is the
peak of all the side's processes, shared pages counted once. Sides that keep nothing between runs
are not run a second time. *Floor*: unavoidable round trips and bytes over 24 connections, plus
DuckDB's own time on the local file where the processor bounds. Every answer is held to the
generator's; **wrong** ones are marked. Numbers in parentheses: how many times this server's time.
"""


def milliseconds(seconds: float | None) -> str:
    """Return a duration with three digits."""
    if seconds is None:
        return "-"
    if seconds >= 1:
        return f"{seconds:.3g} s" if seconds < 100 else f"{seconds:,.0f} s"  # noqa: PLR2004
    return f"{seconds * 1000:.3g} ms"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    align = ["---", *("---:" for _ in header[1:])]
    lines = [header, align, *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines]


def to_markdown(report: Mapping[str, Any], chart: str = "") -> str:
    """Return the whole report."""
    scale = report["scale"]
    parts = [
        "# Performance",
        "",
        *_setting(report),
        *([f"![Seconds by job and side, logarithmic]({chart})", ""] if chart else []),
        "## Targets",
        "",
        *([] if scale == 1 else [f"At scale {scale:g} they only tell a tendency.", ""]),
        *_targets(report),
        "",
        "## Times",
        "",
        *_times(report),
        "",
        *_special(report.get("special") or {}),
        "## Answers that were wrong, and what a side could not do",
        "",
        *_faults(report),
        "",
        "## Every figure",
        "",
        *_figures(report),
        "",
    ]
    return "\n".join(parts)


def _setting(report: Mapping[str, Any]) -> list[str]:
    machine = report["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in sorted(report["versions"].items()))
    scale = "full scale" if report["scale"] == 1 else f"scale {report['scale']:g}"
    made = (
        f"Made by `{report['command']}` on {report['date']}; do not edit. "
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gib']:g} GiB; "
        f"{versions}."
    )
    return [made, "", _METHOD.format(scale=scale).strip().replace("\n", " "), ""]


def _targets(report: Mapping[str, Any]) -> list[str]:
    met = {True: "met", False: "**not met**", None: "no figure"}
    rows = [
        (item.title, item.against, item.wanted, item.got, met[item.met]) for item in judge(report)
    ]
    return _table(("job", "against", "target", "measured", ""), rows)


def _mark(job: Mapping[str, Any], side: str, seconds: float | None) -> str:
    wrong = (job["sides"].get(side) or {}).get("wrong")
    return f"{milliseconds(seconds)}{' **wrong**' if wrong and seconds is not None else ''}"


def _times(report: Mapping[str, Any]) -> list[str]:
    jobs = {job["name"]: job for job in report["jobs"]}
    header = ["job", *(SIDES[name].title for name in report["sides"]), "floor"]
    rows = []
    for job in report["jobs"]:
        for run, suffix in _RUNS:
            mine = seconds_of(jobs, job["name"], "server", run)
            if run == "again" and mine is None:
                continue
            row = [job["title"] + suffix]
            for side in report["sides"]:
                seconds = seconds_of(jobs, job["name"], side, run)
                source = job if side in job["sides"] else jobs.get(job["peers_from"], job)
                text = _mark(source, side, seconds)
                if side in _PEERS and mine and seconds:
                    text += f" ({seconds / mine:.3g}x)"
                row.append(text)
            rows.append([*row, milliseconds(job["floor"].get(run))])
    return _table(header, rows)


def _special(special: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    if start := special.get("cold_start"):
        rows = [
            (f"{name}: {what}", milliseconds(item["seconds"]), _spread(item))
            for what, key in (
                ("to `tools/list`", "tools_list"),
                ("to a first page", "first_answer"),
            )
            for name, item in start[key].items()
        ]
        lines += ["## From no process", "", *_table(("side", "median", "spread"), rows), ""]
    if calls := special.get("overhead"):
        rows = [
            (title, milliseconds(item["seconds"]), _spread(item)) for title, item in calls.items()
        ]
        lines += ["## Trivial calls, on loopback", "", *_table(("call", "median", "spread"), rows)]
        lines.append("")
    if queries := special.get("small_query"):
        rows = [
            (f"profile `{profile}`, {how}", milliseconds(item["seconds"]), _spread(item))
            for (profile, item), how in zip(
                queries.items(), ("an object seen before", "new objects"), strict=True
            )
        ]
        lines += ["## A query of a small CSV over stdio", ""]
        lines += [*_table(("call", "median", "spread"), rows), ""]
    if counted := special.get("tokens"):
        rows = [
            (
                item["question"] + (f" (`{item['error'][:60]}`)" if item["error"] else ""),
                f"{item['tokens']:,}",
                f"{item['tokens_as_json']:,}" if item["tokens_as_json"] else "-",
            )
            for item in counted["questions"]
        ]
        header = ("question", f"tokens ({counted['encoding']})", "same rows as indented JSON")
        lines += ["## Tokens that an agent reads", "", *_table(header, rows), ""]
    return lines


def _spread(item: Mapping[str, Any]) -> str:
    return f"{milliseconds(item['least'])} - {milliseconds(item['most'])}, n={item['runs']}"


def _faults(report: Mapping[str, Any]) -> list[str]:
    lines = []
    for job in report["jobs"]:
        for side, result in job["sides"].items():
            if result["wrong"]:
                lines.append(f"- {job['title']}, {side}: wrong: `{result['wrong'][:_WRONG_CHARS]}`")
            if result["failure"]:
                lines.append(f"- {job['title']}, {side}: {result['failure'][:_WRONG_CHARS]}")
    return lines or ["None."]


def _figures(report: Mapping[str, Any]) -> list[str]:
    header = (
        "job",
        "side",
        "run",
        "median",
        "spread",
        "CPU s",
        "peak MB",
        "requests",
        "MB",
        "conn.",
    )
    rows = [
        (
            job["name"],
            side,
            run,
            milliseconds(figures["seconds"]),
            _spread(figures),
            f"{figures['cpu_seconds']:.2f}",
            f"{figures['peak_bytes'] / 1e6:,.0f}",
            f"{figures['requests']:,.0f}",
            f"{figures['bytes_out'] / 1e6:,.2f}",
            f"{figures['peak_in_flight']:.0f}",
        )
        for job in report["jobs"]
        for side, result in job["sides"].items()
        for run, _ in _RUNS
        if (figures := result.get(run))
    ]
    return _table(header, rows)
