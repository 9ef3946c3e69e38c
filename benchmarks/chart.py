"""The chart of the README: seconds by job and side on a logarithmic scale, as SVG."""

import math
from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

from report import milliseconds
from targets import seconds_of

_BARS: Final = (
    ("server", "this server", "#0b7a53"),
    ("httpfs", "DuckDB httpfs", "#e0a100"),
    ("polars", "polars", "#5b7fd0"),
    ("whole", "whole object into pandas", "#b8bcc4"),
)
_JOBS: Final = (
    ("csv_head", "first", "1 GB CSV: first 100 rows"),
    ("csv_page_cursor", "first", "1 GB CSV: page at row 1,000,000"),
    ("csv_query", "first", "1 GB CSV: filter, group-by"),
    ("csv_query", "second", "the same again"),
    ("lines_query", "first", "1 GB JSON Lines: filter, group-by"),
    ("array_head", "first", "0.5 GB JSON array: first 100"),
    ("parquet_columns", "first", "Parquet: 3 of 30 columns"),
    ("parquet_query", "first", "Parquet: filter, group-by"),
)
_WIDTH: Final = 860
_LEFT: Final = 250
_BAR: Final = 11
_GAP: Final = 12
_TOP: Final = 52
_LEAST: Final = 0.01
_DECADES: Final = 4


def _x(seconds: float) -> float:
    share = math.log10(max(seconds, _LEAST) / _LEAST) / _DECADES
    return _LEFT + min(share, 1) * (_WIDTH - _LEFT - 70)


def to_svg(report: Mapping[str, Any]) -> str:
    """Return the chart."""
    jobs = {job["name"]: job for job in report["jobs"]}
    parts: list[str] = []
    x = 12.0
    for _, title, colour in _BARS:
        parts.append(f'<rect x="{x:.0f}" y="12" width="11" height="11" fill="{colour}"/>')
        parts.append(f'<text x="{x + 17:.0f}" y="22">{escape(title)}</text>')
        x += 40 + 7 * len(title)
    parts.append(
        f'<text class="n" x="{_WIDTH - 12}" y="22" text-anchor="end">'
        "logarithmic; less is better</text>"
    )
    y = float(_TOP)
    for name, run, title in _JOBS:
        if name not in jobs:
            continue
        parts.append(f'<text x="12" y="{y + 2 * _BAR:.0f}">{escape(title)}</text>')
        for side, _, colour in _BARS:
            seconds = seconds_of(jobs, name, side, run)
            if seconds is None:
                continue
            end = _x(seconds)
            parts.append(
                f'<rect x="{_LEFT}" y="{y:.0f}" width="{max(2, end - _LEFT):.1f}" '
                f'height="{_BAR - 2}" fill="{colour}"/>'
                f'<text class="n" x="{end + 5:.1f}" y="{y + _BAR - 3:.0f}">'
                f"{milliseconds(seconds)}</text>"
            )
            y += _BAR
        y += _GAP
    grid = [_grid(_LEAST * 10**decade, y) for decade in range(_DECADES + 1)]
    height = int(y + 24)
    style = (
        "text{font:12px system-ui,sans-serif;fill:#24292f}.n{font-size:10px}"
        ".g{stroke:#d8dee4;stroke-width:1}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="Seconds by job and side, logarithmic"><style>{style}</style>'
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>'
        + "".join(grid + parts)
        + "</svg>\n"
    )


def _grid(seconds: float, bottom: float) -> str:
    x = _x(seconds)
    return (
        f'<line class="g" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 8}" y2="{bottom:.0f}"/>'
        f'<text class="n" x="{x - 8:.1f}" y="{bottom + 14:.0f}">{milliseconds(seconds)}</text>'
    )
