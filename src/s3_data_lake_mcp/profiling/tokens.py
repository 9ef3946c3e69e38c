"""Names that differ in random tokens of one length, as services make them: `…_Ajd6OcZFv1niUK8i`."""

import re
from collections.abc import Mapping
from itertools import pairwise

from s3_data_lake_mcp.profiling.names import template_of

LEAST_SIBLINGS = 4
"""Names that make a family; fewer may be names of tables that look alike."""

_TOKEN_CHARS = 5
_UUID = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_WORD = re.compile(r"[0-9A-Za-z]+")
_RANDOM = re.compile(r"[A-Za-z][0-9]+[A-Za-z]|[0-9][A-Za-z]+[0-9]")
_TOKEN = "*?"  # noqa: S105 - no secret; no template has it

type Parts = tuple[tuple[str, int], ...]
"""Templates and lengths of a name's words, and what stands between them with length 0."""


def families[Label](names: Mapping[Label, str]) -> list[tuple[str, list[Label]]]:
    """Return templates of names that differ in tokens, each with the labels of its names.

    `names` are those of one folder, by label, without their suffix.
    """
    parts = {label: _parts(name) for label, name in names.items()}
    found: dict[Parts, list[Label]] = {}
    for label, own in parts.items():
        family = tuple((text, chars if text == _TOKEN else 0) for text, chars in own)
        if any(chars for _, chars in family):
            found.setdefault(family, []).append(label)
    told = []
    for family, sure in sorted(found.items(), key=lambda item: -len(item[1])):
        if len(parts.keys() & sure) < LEAST_SIBLINGS:
            continue
        # Some tokens hold no digit, or none inside, and look like words.
        members = [label for label, own in parts.items() if _is_like(own, family)]
        for label in members:
            del parts[label]
        joined = "".join("*" if text == _TOKEN else text for text, _ in family)
        told.append((template_of(joined)[0], members))
    return told


def _parts(name: str) -> Parts:
    name = _UUID.sub("*", name)
    places = [0]
    for word in _WORD.finditer(name):
        places += word.span()
    return tuple(_part(name[a:b]) for a, b in pairwise([*places, len(name)]))


def _part(piece: str) -> tuple[str, int]:
    starred = template_of(piece)[0]
    if not piece.isalnum():
        return piece, 0
    if starred != "*" and len(piece) >= _TOKEN_CHARS and _RANDOM.search(piece):
        return _TOKEN, len(piece)
    return starred, len(piece)


def _is_like(own: Parts, family: Parts) -> bool:
    """Whether a name has words of the same lengths where its family has tokens."""
    return len(own) == len(family) and all(
        one == other or (bool(chars) and length == chars)
        for (one, length), (other, chars) in zip(own, family, strict=True)
    )
