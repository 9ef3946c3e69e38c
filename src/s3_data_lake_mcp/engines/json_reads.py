"""The bytes of JSON as the engine gets them, by its layout."""

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from itertools import islice

from s3_data_lake_mcp.engines.json_layout import JsonLayout
from s3_data_lake_mcp.engines.json_lines import passed_lines
from s3_data_lake_mcp.engines.json_stream import cleaned, transcoded
from s3_data_lake_mcp.engines.places import Member
from s3_data_lake_mcp.engines.streams import line_batches
from s3_data_lake_mcp.engines.watched import Look, watched_blocks, without_long_fractions
from s3_data_lake_mcp.errors import MalformedDataError
from s3_data_lake_mcp.loaders.compression import decoded_blocks
from s3_data_lake_mcp.loaders.json_scan import BadLines
from s3_data_lake_mcp.storage.scope import SurpriseError

_RECORD_BYTES = 64 << 10
_RECORDS = (re.compile(r"\ufeff?\s*\{"), re.compile(r"\ufeff?\s*\[\s*\{"))
"""The beginning of JSON Lines, and of an array, of records."""

_SAMPLE_BYTES = 256 << 10
"""Text of an object that is looked at: less than the head that came with the opening."""

_SAMPLED_BYTES = 4 << 20
_LEAST_SAMPLE_BYTES = 64 << 10
"""Of many objects less of each, for a MiB takes a quarter of a second of the processor."""


def sample_bytes(objects: int) -> int:
    """Return how much text to look at of each of so many objects."""
    return min(_SAMPLE_BYTES, max(_LEAST_SAMPLE_BYTES, _SAMPLED_BYTES // max(1, objects)))


def unsure(
    make: Callable[[], Iterator[bytes]], name: str, layout: JsonLayout, *, is_raw: bool
) -> Iterator[bytes]:
    """Yield the text of an object that is only thought to have its layout.

    It `is_raw` if it was not cleaned.

    Raises:
        SurpriseError: If it has another one, or is damaged.
    """
    look, at = with_known_keys(name, layout, is_raw=is_raw), 0
    try:
        for block in make():
            look(at, block)
            at += len(block)
            yield block
    except MalformedDataError as exc:
        raise SurpriseError(name) from exc


def with_known_keys(path: str, layout: JsonLayout, *, is_raw: bool = True) -> Look:
    """Return a look that lets no first record pass with keys that are known in another case.

    The engine would find nothing under them; nor under any key of what is raw, where it takes
    values for no records. The look raises `SurpriseError`.
    """
    known = {*layout.names, *layout.names.values()}
    lowered = {name.lower() for name in known}
    record = _RECORDS[layout.form == "array"] if is_raw and not layout.records else None

    def look(at: int, data: bytes) -> None:
        if at == 0:
            text = data[:_RECORD_BYTES].decode(errors="ignore")
            keys = _first_keys(text) - known
            if any(key.lower() in lowered for key in keys) or (record and record.match(text)):
                raise SurpriseError(path)

    return look


def _first_keys(text: str) -> set[str]:
    """Return the keys of the first record in the beginning of a text; none if it is longer."""
    with contextlib.suppress(ValueError, RecursionError):
        record, _ = json.JSONDecoder().raw_decode(text, max(0, text.find("{")))
        return set(record) if isinstance(record, dict) else set()
    return set()


def json_text(
    member: Member,
    layout: JsonLayout,
    brief: int | None,
    max_decoded_bytes: int,
    found: list[BadLines],
    said: set[str],
) -> Iterator[bytes]:
    """Return JSON that is decoded or cleaned before the engine sees it.

    `brief` is the number of records, if only the first few are wanted. `found` is given the
    lines that are left out, for each time that the text is read, and `said` what else there is
    to say.
    """
    opened = member.opened if brief else member.opened.with_beginning()
    source = opened.decoding_reader(brief=bool(brief))
    if layout.mode == "transcoded" and not brief:
        text = transcoded(source, layout.compression, layout.encoding, max_decoded_bytes)
        return watched_blocks(text, without_long_fractions(str(source.ref)))
    if layout.passes and not brief:
        found.append(BadLines())
        text = decoded_blocks(source, layout.compression, max_decoded_bytes=max_decoded_bytes)
        return passed_lines(text, str(source.ref), found[-1], said)
    records = cleaned(source, max_decoded_bytes, layout.renamed, found, said)
    return line_batches(islice(records, brief))
