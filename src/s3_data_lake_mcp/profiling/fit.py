"""A summary within its size: what fits is kept in order, what is left out is counted and named."""

from collections.abc import Mapping, Sequence
from typing import Any

from s3_data_lake_mcp.budget import fitting
from s3_data_lake_mcp.fence import cell, plural
from s3_data_lake_mcp.profiling import Json
from s3_data_lake_mcp.profiling.columns import left_out
from s3_data_lake_mcp.profiling.squeeze import (
    LONGEST_LAST_NOTICE,
    LONGEST_NOTICE,
    SPARE_BYTES,
    Answer,
    shortened,
    size,
    squeezed,
)

_SENTENCES = ("schema_drift", "warnings")
_DATASETS_SHARE = 0.4
_NOTICES_SHARE = 0.25


def fit(answer: Answer, max_result_bytes: int) -> Answer:
    """Return a summary's answer with as many notices, largest objects, datasets and columns as fit.

    At least one dataset and one column are kept where there are any, unless even those are too
    long with all of their texts clipped.
    """
    return squeezed(answer, max_result_bytes, (_cut, _bare), whole=())


def _cut(answer: Answer, room: int) -> Answer:
    room -= min(SPARE_BYTES, room // 4)
    notices = _shortened(answer["notices"], int(room * _NOTICES_SHARE), LONGEST_NOTICE)
    fitted = answer | {"datasets": [], "profile": None, "notices": notices}
    fitted["inventory"], said = _inventory(answer["inventory"], room // 8)
    notices += said
    room -= size(fitted)
    profile: Any = answer["profile"]
    share = int(room * _DATASETS_SHARE) if profile is not None else room
    fitted["datasets"], said = _datasets(answer["datasets"], share)
    notices += said
    if profile is not None:
        room -= size(fitted["datasets"]) + sum(map(size, said))
        fitted["profile"], said = _profile(profile, room)
        notices += said
    return fitted


def _bare(answer: Answer, room: int) -> Answer:
    """Keep the counts alone."""
    notices = _shortened(answer["notices"], room // 4, LONGEST_LAST_NOTICE)
    fitted = answer | {"datasets": [], "profile": None, "notices": notices}
    fitted["inventory"] = answer["inventory"] | {"largest": []}
    notices.append(
        f"No dataset, column or key fits {room:,} bytes: raise S3_DATA_LAKE_MAX_RESULT_BYTES."
    )
    return fitted


def _kept(values: Sequence[Any], room: int) -> int:
    return max(min(len(values), 1), fitting(values, cell, room))


def _shortened(notices: Sequence[str], room: int, chars: int) -> list[str]:
    """Return the notices that fit, long ones cut at a word."""
    cut = [shortened(text, chars) for text in dict.fromkeys(notices)]
    count = fitting(cut, cell, room)
    more = len(cut) - count
    return [*cut[:count], *([f"{plural(more, 'more notice')} did not fit."] if more else [])]


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
    if clipped := sum(map(_clipped, datasets[:kept], slim)):
        texts = plural(clipped, "sentence", "was", "were")
        said.append(f"{texts} clipped, in schema_drift or warnings.")
    if kept < len(slim):
        said.append(
            f"Only the {kept:,} largest of {len(slim):,} datasets fit; the others begin with "
            f"{slim[kept]['uri']}. Narrow the prefix to see them."
        )
    return slim[:kept], said


def _slim(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Bound what one dataset says of itself."""
    return dict(dataset) | {
        what: [shortened(text, LONGEST_NOTICE) for text in dataset[what]] for what in _SENTENCES
    }


def _clipped(dataset: Mapping[str, Any], slim: Mapping[str, Any]) -> int:
    return sum(
        shown != text
        for what in _SENTENCES
        for text, shown in zip(dataset[what], slim[what], strict=True)
    )


def _profile(profile: Mapping[str, Any], room: int) -> tuple[Json, list[str]]:
    """Keep all columns without histograms rather than some of them with."""
    columns = profile["columns"]
    bare = dict(profile) | {"columns": []}
    room -= size(bare)
    said: list[str] = []
    kept = fitting(columns, cell, room)
    for part in ("histogram", "top"):
        if kept == len(columns):
            break
        columns = [column | {part: []} for column in columns]
        kept = fitting(columns, cell, room)
        said = [
            f"Histograms{' and top values' if part == 'top' else ''} did not fit: name columns."
        ]
    kept = max(min(len(columns), 1), kept)
    if notice := left_out(kept, [str(column["name"]) for column in columns]):
        said.append(notice)
    return bare | {"columns": columns[:kept]}, said
