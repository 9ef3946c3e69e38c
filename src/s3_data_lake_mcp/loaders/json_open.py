"""Opening a JSON document: at its beginning, finding its layout, or where a page ended."""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import chain

from s3_data_lake_mcp.cursors import count_in, misfit
from s3_data_lake_mcp.errors import MalformedDataError
from s3_data_lake_mcp.loaders import Position
from s3_data_lake_mcp.loaders.compression import decoded_blocks, detect_compression, first_text
from s3_data_lake_mcp.loaders.formats import (
    READ_TOOLS,
    format_of,
    refuse_other,
    strip_compression,
)
from s3_data_lake_mcp.loaders.json_scan import (
    DOCUMENT_BYTES,
    MEND_LINES,
    RECORD_BYTES,
    SPACE,
    BadLines,
    Item,
    NotJson,
    ValueDecoder,
    array_items,
    line_items,
    malformed,
)
from s3_data_lake_mcp.loaders.json_skip import pass_elements, pass_lines, value_end
from s3_data_lake_mcp.loaders.json_text import ENCODINGS, TextWindow, detect_encoding
from s3_data_lake_mcp.storage.reader import HEAD_BYTES, ObjectReader

_LINES_SUFFIXES = (".jsonl", ".ndjson", ".jsonlines", ".ldjson", ".geojsonl", ".geojsons")
"""Keys that announce JSON Lines; there, one line is `lines`, and the first one may be bad."""

FIRST_BYTES = 256 << 10
"""Best length of a first request: holds a hundred records of 2.5 KiB."""

DOCUMENT = "a JSON document"
"""What is paged, for errors of cursors."""

_COMPRESSIONS = ("", "gzip", "bzip2", "xz", "zstd")
_LEAST_PAGE_BYTES = 64 << 10
_MOST_PAGE_BYTES = 1 << 20
_BRACKET_LINE = re.compile(r"\n[ \t\r]*\[")
_OBJECT_LINE = re.compile(r"\n[ \t]*\{")
_ARRAY_LINE = re.compile(r"\[[^\n]*\][ \t\r]*\n")
_LINE_END = re.compile(r"[ \t\r]*(?:\n|\Z)")
_NEXT_LINE = re.compile(r"[ \t\r]*\n[ \t\r\n]*([^ \t\r\n])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """An opened document: its layout, and what is left to read of it.

    `record` is the number of the first item. Close it to stop what is being fetched ahead.
    """

    layout: str
    items: Iterator[Item]
    window: TextWindow
    blocks: Generator[bytes]
    decoder: ValueDecoder
    bad: BadLines
    compression: str
    record: int = 0

    def skip(self, count: int) -> int:
        """Pass over items without keeping them; return how many there were.

        Each is checked to be JSON: about 3 µs for one of 200 bytes.
        """
        ahead = pass_elements if self.layout == "array" else pass_lines
        done = 0
        while done < count and next(self.items, None) is not None:
            done += 1
            done += ahead(self.window, count - done)
        return done

    def close(self) -> None:
        """Stop reading."""
        self.blocks.close()

    def position(self, item: Item, record: int) -> Position:
        """Return where to go on behind an item, `record` being the next one's number."""
        return {
            "layout": self.layout,
            "byte": item.byte,
            "line": item.line,
            "record": record,
            "encoding": self.window.encoding,
            "compression": self.compression,
        }


def announces_lines(key: str) -> bool:
    """Whether a key's suffix says JSON Lines."""
    return strip_compression(key.lower()).endswith(_LINES_SUFFIXES)


def open_start(source: ObjectReader, max_decoded_bytes: int) -> Scan:
    """Open a document at its beginning.

    Raises:
        MalformedDataError: If it is empty, or its first value is not JSON.
    """
    source.prefetch([(0, HEAD_BYTES)])
    compression = detect_compression(source.read_range(0, HEAD_BYTES))
    blocks = decoded_blocks(source, compression, max_decoded_bytes=max_decoded_bytes)
    first = first_text(blocks)
    if not first:
        raise MalformedDataError(f"{source.ref} is empty", hint="There is no JSON value to read.")
    refuse_other(source.info, first, "json", compression)
    encoding, mark = detect_encoding(first)
    window = TextWindow(
        chain([first[mark:]] if first[mark:] else [], blocks),
        subject=str(source.ref),
        encoding=encoding,
        start=mark,
    )
    decoder, bad = ValueDecoder(), BadLines()
    if announces_lines(source.ref.key):
        # Of no record, some writers leave the end of a line.
        is_blank = not window.skip(SPACE)
        layout, items = "lines", line_items(window, decoder, bad, proven=is_blank)
    else:
        too_long = not compression and source.size_bytes > DOCUMENT_BYTES
        limit = RECORD_BYTES if too_long else DOCUMENT_BYTES
        try:
            layout, items = _layout(window, decoder, bad, limit)
        except MalformedDataError as exc:
            if format_of(source.ref.key) == "csv":
                exc.repair_tool = READ_TOOLS["csv"]
                exc.repair = {"bucket_name": source.ref.bucket, "object_key": source.ref.key}
                exc.hint = f"Its name says CSV: use {exc.repair_tool}."
            raise
    return Scan(
        layout=layout,
        items=items,
        window=window,
        blocks=blocks,
        decoder=decoder,
        bad=bad,
        compression=compression,
    )


def open_position(
    source: ObjectReader, position: Position, max_decoded_bytes: int, max_records: int
) -> Scan:
    """Open a document behind an item, by one range; its head is not looked at.

    Raises:
        InvalidArgumentError: If the position is not one of `Scan.position`.
    """
    layout = _choice(position, "layout", ("array", "lines"))
    encoding = _choice(position, "encoding", ENCODINGS)
    compression = _choice(position, "compression", _COMPRESSIONS)
    byte, line, record = (count_in(position, n, DOCUMENT) for n in ("byte", "line", "record"))
    # As long as the records before were, in the mean, with something to spare.
    guess = int((max_records + 1) * byte / max(record, 1) * 1.2)
    blocks = decoded_blocks(
        source,
        compression,
        max_decoded_bytes=max_decoded_bytes,
        start=byte,
        expected_bytes=max(_LEAST_PAGE_BYTES, min(guess, _MOST_PAGE_BYTES)),
    )
    window = TextWindow(blocks, subject=str(source.ref), encoding=encoding, start=byte, line=line)
    decoder, bad = ValueDecoder(), BadLines()
    items = (
        array_items(window, decoder, opened=True)
        if layout == "array"
        else line_items(window, decoder, bad, proven=True)
    )
    return Scan(
        layout=layout,
        items=items,
        window=window,
        blocks=blocks,
        decoder=decoder,
        bad=bad,
        compression=compression,
        record=record,
    )


def _choice(position: Position, name: str, allowed: tuple[str, ...]) -> str:
    value = position.get(name)
    if not isinstance(value, str) or value not in allowed:
        raise misfit(DOCUMENT)
    return value


def _first_mark(window: TextWindow) -> str:
    mark = window.skip(SPACE)
    if not mark:
        message = f"{window.subject} is empty: it holds nothing but white space"
        raise MalformedDataError(message, hint="There is no JSON value to read.")
    return mark


def _layout(
    window: TextWindow, decoder: ValueDecoder, bad: BadLines, max_bytes: int
) -> tuple[str, Iterator[Item]]:
    mark = _first_mark(window)
    if mark == "[":
        # Only a line that begins, or the first that ends, with a bracket can tell lines of arrays
        # from one array.
        text, alone = window.text, _ARRAY_LINE.match(window.text, window.at)
        again = _BRACKET_LINE.search(text, window.at)
        end = value_end(text, window.at) if again or alone else -1
        follows = _NEXT_LINE.match(text, end) if end >= 0 else None
        is_line = bool(follows and alone and end < alone.end())
        if follows and (follows[1] == "[" or (is_line and _is_line(text, follows.start(1)))):
            return "lines", line_items(window, decoder, bad, proven=False)
        return "array", array_items(window, decoder, opened=False)
    begun = window.line
    try:
        value = decoder.decode(window, max_bytes=max_bytes)
    except NotJson as exc:
        raise malformed(window, str(exc)) from exc
    is_line = window.line == begun
    after = window.skip(" \t\r")
    item = Item(value=value, byte=window.byte, line=window.line)
    if after == "\n":
        after = window.skip(SPACE)
        # The second line may be a bad one: then a later one shows that there are lines.
        later = mark == "{" and _OBJECT_LINE.search(window.text, window.at)
        lines = is_line and (later or _is_line(window.text, window.at))
        if after and (lines or _kind(after) == _kind(mark)):
            return "lines", chain([item], line_items(window, decoder, bad, proven=True))
    if after == ",":
        raise malformed(window, f"a comma behind its value at byte {window.byte:,}", MEND_LINES)
    if after:
        raise malformed(window, f"there is more behind its value at byte {window.byte:,}")
    return ("object" if mark == "{" else "scalar"), iter([item])


def _is_line(text: str, at: int) -> bool:
    """Whether a line is one value, whatever its kind."""
    end = value_end(text, at)
    return end >= 0 and "\n" not in text[at:end] and bool(_LINE_END.match(text, end))


def _kind(mark: str) -> str:
    if mark in "{[":
        return mark
    return "scalar" if mark in '"-0123456789tfn' else ""
