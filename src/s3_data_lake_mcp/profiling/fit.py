"""An answer within its size: what fits is kept in order, what is left out is counted and named."""

from collections.abc import Mapping, Sequence
from typing import Any

from s3_data_lake_mcp.budget import compact_size, fitting
from s3_data_lake_mcp.fence import cell
from s3_data_lake_mcp.profiling import Json
from s3_data_lake_mcp.profiling.columns import left_out

_ENVELOPE_BYTES = 1_536
"""What the scan, a late notice, the fence and the next call need beside the answer."""

_DATASETS_SHARE = 0.4
_NOTICES_SHARE = 0.25
_LONGEST_NOTICE = 1_200


def fit(answer: Json, max_result_bytes: int) -> Json:
    """Return a summary's answer with as many notices, largest objects, datasets and columns as fit.

    At least one dataset and one column are kept where there are any.
    """
    room = max_result_bytes - _ENVELOPE_BYTES
    notices = _shortened(_texts(answer["notices"]), int(room * _NOTICES_SHARE))
    fitted: dict[str, Any] = answer | {"datasets": [], "profile": None, "notices": notices}
    fitted["inventory"], said = _inventory(answer["inventory"], room // 8)
    notices += said
    room -= _size(fitted)
    profile: Any = answer["profile"]
    share = int(room * _DATASETS_SHARE) if profile is not None else room
    fitted["datasets"], said = _datasets(answer["datasets"], share)
    notices += said
    if profile is not None:
        room -= _size(fitted["datasets"]) + sum(map(_size, said))
        fitted["profile"], said = _profile(profile, room)
        notices += said
    return fitted


def _texts(values: Any) -> list[str]:  # noqa: ANN401 - a part of an answer
    return [str(value) for value in values]


def _size(value: object) -> int:
    """Return the larger of what a value takes as JSON and as text."""
    return max(compact_size(value), len(cell(value).encode("utf-8", "replace"))) + 1


def _kept(values: Sequence[Any], room: int) -> int:
    return max(min(len(values), 1), fitting(values, cell, room))


def _shortened(notices: Sequence[str], room: int) -> list[str]:
    """Return the notices that fit, long ones cut at a word."""
    cut = [
        text
        if len(text) <= _LONGEST_NOTICE
        else text[:_LONGEST_NOTICE].rpartition(" ")[0]
        + f" …(+{len(text) - _LONGEST_NOTICE:,} chars)"
        for text in dict.fromkeys(notices)
    ]
    count = fitting(cut, cell, room)
    more = len(cut) - count
    return [*cut[:count], *([f"{more:,} more notices did not fit."] if more else [])]


def _inventory(inventory: Any, room: int) -> tuple[Json, list[str]]:  # noqa: ANN401 - as above
    largest = inventory["largest"]
    kept = _kept(largest, room)
    said = (
        [f"Only the {kept:,} largest of {len(largest):,} keys fit."] if kept < len(largest) else []
    )
    return inventory | {"largest": largest[:kept]}, said


def _datasets(datasets: Any, room: int) -> tuple[list[Json], list[str]]:  # noqa: ANN401 - as above
    slim = [_slim(one) for one in datasets]
    kept = _kept(slim, room)
    said = []
    if kept < len(slim):
        said.append(
            f"Only the {kept:,} largest of {len(slim):,} datasets fit; the others begin with "
            f"{slim[kept]['uri']}. Narrow the prefix to see them."
        )
    return slim[:kept], said


def _slim(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Bound what one dataset says of itself."""
    return dict(dataset) | {
        what: [
            text if len(text) <= _LONGEST_NOTICE else text[:_LONGEST_NOTICE] + "…"
            for text in dataset[what]
        ]
        for what in ("schema_drift", "warnings")
    }


def _profile(profile: Mapping[str, Any], room: int) -> tuple[Json, list[str]]:
    """Keep all columns without histograms rather than some of them with."""
    columns = profile["columns"]
    bare = dict(profile) | {"columns": []}
    room -= _size(bare)
    said: list[str] = []
    kept = _kept(columns, room)
    for part in ("histogram", "top"):
        if kept == len(columns):
            break
        columns = [column | {part: []} for column in columns]
        kept = _kept(columns, room)
        said = [
            f"Histograms{' and top values' if part == 'top' else ''} did not fit: name columns."
        ]
    names = [str(column["name"]) for column in columns]
    if notice := left_out(kept, len(columns), names):
        said.append(notice)
    return bare | {"columns": columns[:kept]}, said
