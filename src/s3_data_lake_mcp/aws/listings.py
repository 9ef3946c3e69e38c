"""The keys of a listing's page, read in a tenth of the time that the SDK takes by itself.

The SDK parses a page twice, and looks up the shape of every field of every key. Here one pattern
takes all keys out of a page of the form in which S3, and most stores with its API, write them; the
SDK parses what is left. A page of any other form is left to the SDK as it is.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_plus, unquote_to_bytes

if TYPE_CHECKING:
    from botocore.client import BaseClient

LISTED = "s3-data-lake-mcp:Listed"
"""The name of an answer's `ListedEntry`s, where they stand in place of its `Contents`."""

_BEGIN = b"<Contents>"
_END = b"</Contents>"
_ANY = b"<Contents"
_MARKUP = b"<!"
_FOREIGN = re.compile(rb"<\?xml[^>]*encoding=(?![\"']utf-8[\"'])", re.IGNORECASE)
_ENCODED = b"<EncodingType>url</EncodingType>"
_BETWEEN = "\n"
_TEXT = r"[^<&\r]*"
_QUOTE = r'(?:"|&quot;|&#34;)?'
_OWNER = rf"<Owner>\s*(?:<ID>{_TEXT}</ID>\s*)?(?:<DisplayName>{_TEXT}</DisplayName>\s*)?</Owner>\s*"
_ENTRY = re.compile(
    r"(<Contents>\s*"
    rf"<Key>({_TEXT})</Key>\s*"
    r"<LastModified>([\dT:.-]+Z)</LastModified>\s*"
    rf'<ETag>{_QUOTE}([^<&\r"]*){_QUOTE}</ETag>\s*'
    rf"(?:<ChecksumAlgorithm>{_TEXT}</ChecksumAlgorithm>\s*)*"
    rf"(?:<ChecksumType>{_TEXT}</ChecksumType>\s*)?"
    r"<Size>([0-9]{1,18})</Size>\s*"
    rf"(?:{_OWNER})?"
    rf"(?:<StorageClass>({_TEXT})</StorageClass>\s*)?"
    rf"(?:{_OWNER})?"
    r"</Contents>\s*)"
)


class ListedEntry(NamedTuple):
    """One key as a page writes it, decoded; the ETag has no quotes."""

    key: str
    last_modified: str
    etag: str
    size: str
    storage_class: str


def read_listings_fast(client: "BaseClient") -> None:
    """Let a client read the keys of its listings with `read_page`, under the name `LISTED`."""
    # By its wildcard it comes before the SDK's own, one of which parses all that it is given.
    client.meta.events.register_first("before-parse.*.ListObjectsV2", _take)


def _take(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    # No error has the form of a page with keys.
    if (page := read_page(response_dict["body"])) is not None:
        customized_response_dict[LISTED], response_dict["body"] = page


def read_page(body: bytes) -> tuple[Sequence[ListedEntry], bytes] | None:
    """Return the keys of a page, and the page without them; None if it has another form."""
    begin, end = body.find(_BEGIN), body.rfind(_END) + len(_END)
    head = body[:begin]
    rest = head + body[end:]
    if not 0 <= begin < end or _ANY in rest or _MARKUP in head or _FOREIGN.search(head):
        return None
    try:
        text = body[begin:end].decode()
    except UnicodeDecodeError:
        return None
    entries = _ENTRY.findall(text)
    # Each character belongs to an entry, or the page holds what the pattern does not know.
    if sum(len(whole) for whole, *_ in entries) != len(text):
        return None
    keys = [entry[1] for entry in entries]
    if _ENCODED in rest:
        keys = _decoded(keys)
    listed = [ListedEntry(key, *entry[2:]) for key, entry in zip(keys, entries, strict=True)]
    return listed, rest


def _decoded(keys: list[str]) -> list[str]:
    """Return keys without their URL encoding, as the SDK decodes them."""
    # All at once takes an eighth of the time.
    joined = _BETWEEN.join(keys).replace("+", " ")
    decoded = unquote_to_bytes(joined).decode(errors="replace").split(_BETWEEN)
    if len(decoded) == len(keys) and joined.isascii():
        return decoded
    return [unquote_plus(key) for key in keys]
