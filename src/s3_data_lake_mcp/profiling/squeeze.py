"""Answers within their size: lists cut, texts clipped, each as hard as it takes."""

from collections.abc import Callable, Sequence
from typing import Any

from s3_data_lake_mcp.budget import compact_size
from s3_data_lake_mcp.fence import cell, clipped, plural
from s3_data_lake_mcp.wire import Clipper

SPARE_BYTES = 1_184
"""What is left for notices of what was left out, if there is as much."""

LONGEST_NOTICE = 1_200
LONGEST_LAST_NOTICE = 160
_LATE_BYTES = 352
"""What is added behind: the cost, late notices, the fence, the words of the first line."""

_LABEL_BYTES = 8
_CLIPS = (2_000, 400, 100, 48)
"""Characters of the longest text, from the first try to the last."""

type Answer = dict[str, Any]
type Cut = Callable[[Answer, int], Answer]


def squeezed(
    answer: Answer, max_result_bytes: int, cuts: Sequence[Cut], *, whole: Sequence[str]
) -> Answer:
    """Return an answer that takes no more than `max_result_bytes`.

    Args:
        answer: With `notices`; what is clipped is counted in a further one.
        max_result_bytes: The limit.
        cuts: Each returns an answer with its lists cut to so many bytes in all, the next one more
            of it; tried with longer texts before shorter ones.
        whole: Parts that are cut, but never clipped.
    """
    room = max_result_bytes - _LATE_BYTES
    if _answer_size(answer) <= room:
        return answer
    found = answer
    for cut in cuts:
        for chars in _CLIPS:
            found = cut(_clipped(answer, chars, whole), room)
            if _answer_size(found) <= room:
                return found
    return found


def size(value: object) -> int:
    """Return the larger of what a value takes as JSON and as text."""
    return max(compact_size(value), len(cell(value).encode("utf-8", "replace"))) + 1


def _answer_size(answer: Answer) -> int:
    return size(answer) + _LABEL_BYTES * len(answer["notices"])


def _clipped(answer: Answer, chars: int, whole: Sequence[str]) -> Answer:
    clipper = Clipper(chars)
    kept = {*whole, "notices"}
    found = {
        name: value if name in kept else _texts_clipped(value, clipper)
        for name, value in answer.items()
    }
    if clipper.clipped:
        texts = plural(clipper.clipped, "text", "was", "were")
        said = f"{texts} clipped to {chars:,} characters to fit the answer."
        found["notices"] = [*answer["notices"], said]
    return found


def _texts_clipped(value: Any, clipper: Clipper) -> Any:  # noqa: ANN401 - JSON
    match value:
        case str():
            return clipper.text(value)
        case list():
            return [_texts_clipped(item, clipper) for item in value]
        case dict():
            # Names stay as they are: clipped, two of them could become one.
            return {name: _texts_clipped(item, clipper) for name, item in value.items()}
    return value


def shortened(text: str, chars: int) -> str:
    """Return a text, cut at a word if it is longer than `chars`."""
    if len(text) <= chars:
        return text
    return clipped(text, text[: text.rfind(" ", 0, chars) + 1] or text[:chars])
