"""Texts and binary values: clipped, without lone surrogates, and counted."""

import base64

from s3_data_lake_mcp.fence import clipped, plural, scrub

_SHOWN_BINARY_BYTES = 192


class Clipper:
    """Clips texts of more than `max_chars` characters, and counts what it changed."""

    def __init__(self, max_chars: int = 2_000) -> None:
        self.max_chars = max_chars
        self.clipped = 0
        self.replaced = 0

    def fresh(self) -> "Clipper":
        """Return a clipper with the same limit and nothing counted."""
        return Clipper(self.max_chars)

    def add(self, other: "Clipper") -> None:
        """Add the counts of another clipper to these."""
        self.clipped += other.clipped
        self.replaced += other.replaced

    def text(self, text: str) -> str:
        """Return a text as it may be sent."""
        if len(text) > self.max_chars:
            self.clipped += 1
            text = clipped(text, text[: self.max_chars])
        if text.isascii():
            return text
        shown = scrub(text)
        self.replaced += shown != text
        return shown

    def utf8(self, data: bytes) -> str:
        """Return the text of bytes that may not be UTF-8."""
        try:
            return self.text(data.decode())
        except UnicodeDecodeError:
            self.replaced += 1
            return self.text(data.decode(errors="replace"))

    def notices(self) -> list[str]:
        """Return what an agent should know of the changes, a sentence each."""
        found = []
        if self.clipped:
            subject = plural(self.clipped, "cell", "was", "were")
            found.append(f"{subject} clipped to {self.max_chars:,} characters.")
        if self.replaced:
            subject = plural(self.replaced, "text", "holds", "hold")
            found.append(f"{subject} characters that are not valid Unicode, shown as U+FFFD.")
        return found


def binary_text(data: bytes) -> str:
    """Return `base64:…` of a short binary value, and the size of a long one."""
    if len(data) > _SHOWN_BINARY_BYTES:
        return f"<binary {len(data)} bytes>"
    return f"base64:{base64.b64encode(data).decode()}"
