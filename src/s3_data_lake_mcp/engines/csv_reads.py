"""The bytes of delimited text as the engine gets them, by its layout."""

from collections.abc import Iterator, Sequence
from itertools import islice

from s3_data_lake_mcp.engines.csv_layout import SNIFF_BYTES, Layout, find_layout
from s3_data_lake_mcp.engines.csv_stream import Irregular, cleaned, decoded, passed, transcoded
from s3_data_lake_mcp.engines.opening import Opened
from s3_data_lake_mcp.engines.places import Member
from s3_data_lake_mcp.engines.streams import DecodedStream, line_batches
from s3_data_lake_mcp.engines.watched import watched_blocks
from s3_data_lake_mcp.loaders.compression import detect_compression
from s3_data_lake_mcp.storage.reader import ObjectReader
from s3_data_lake_mcp.storage.scope import SurpriseError

_BLANK_BYTES = 64
_MOST_FILLS = 16
"""Objects of a layout that are looked into for the types of columns without a value elsewhere."""


def find_layouts(
    members: Sequence[Opened], known: Sequence[Layout], max_decoded_bytes: int
) -> Iterator[Layout | None]:
    """Yield the layouts of objects; those that begin alike, or like `known` ones, share one.

    A blank one has none.

    Raises:
        MalformedDataError: If all are blank, and there are no others.
    """
    known, fills = list(known), 0
    for opened in members:
        alike = next((one for one in known if one.begins_alike(opened)), None)
        if alike is None and _is_blank(opened):
            yield None
            continue
        if alike is None:
            known.append(find_layout(opened, max_decoded_bytes))
        elif alike.empty and fills < _MOST_FILLS:
            fills += 1
            alike.fill(find_layout(opened, max_decoded_bytes))
        yield alike or known[-1]
    if members and not known:
        find_layout(members[0], max_decoded_bytes)


def _is_blank(opened: Opened) -> bool:
    """Whether an object is no more than the end of a line, as some writers leave of no rows."""
    compression = detect_compression(opened.need_head(SNIFF_BYTES))
    text = opened.text_head(compression, _BLANK_BYTES)
    return len(text) < _BLANK_BYTES and not text.strip()


def text_stream(
    member: Member,
    layout: Layout,
    brief: int | None,
    max_decoded_bytes: int,
    found: list[Irregular],
    *,
    guessed: bool,
) -> DecodedStream:
    """Return text that is decoded or cleaned before the engine sees it.

    `brief` is the number of records, if only the first few are wanted. `found` is given what
    was irregular, for each time that the text is read. A `guessed` layout is only thought to be
    that of the object.
    """
    shape = layout.shape

    def blocks() -> Iterator[bytes]:
        opened = member.opened if brief else member.opened.with_beginning()
        if guessed and not layout.may_fit(opened):
            raise SurpriseError(str(member.info.ref))
        yield from text(opened.decoding_reader(brief=bool(brief)))

    def text(source: ObjectReader) -> Iterator[bytes]:
        if layout.mode == "transcoded" and not brief:
            text = transcoded(source, shape, max_decoded_bytes)
            look = layout.look(str(source.ref), 0)
            return text if look is None else watched_blocks(text, look)
        found.append(Irregular())
        if layout.passes and not brief:
            text = decoded(source, shape, max_decoded_bytes)
            return passed(text, shape, str(source.ref), found[-1])
        return line_batches(islice(cleaned(source, shape, max_decoded_bytes, found[-1]), brief))

    identity = f"{member.info.etag} {layout.mode} {layout.bare}"
    return DecodedStream(blocks, identity, None if brief else member.opened)
