"""Thrift's compact protocol, read without trust: Parquet's own structures are written in it."""

from collections.abc import Callable, Mapping
from typing import Any

TRUE, _FALSE = 1, 2
_BYTE, I16, I64, _DOUBLE, BINARY, _LIST, _SET, _MAP, STRUCT = 3, 4, 6, 7, 8, 9, 10, 11, 12
_LONG_LIST = 15
_MAX_LEVELS = 32
_MAX_SHIFT = 70

type Reader = Callable[["Compact", int], Any]
type Shape = Mapping[int, tuple[str, Reader]]
"""The fields of a structure that are of use: number to name and reader."""


class ThriftError(ValueError):
    """The bytes are no such structure."""


class Compact:
    """Reads values of the compact protocol, one behind the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> int:
        """Return the next byte."""
        try:
            value = self._data[self._at]
        except IndexError:
            raise ThriftError("it ends too early") from None
        self._at += 1
        return value

    def varint(self) -> int:
        """Return the next unsigned number."""
        value = self.byte()
        if value < 0x80:  # noqa: PLR2004 - the bit that says that there is more
            return value
        value &= 0x7F
        for shift in range(7, _MAX_SHIFT, 7):
            more = self.byte()
            value |= (more & 0x7F) << shift
            if more < 0x80:  # noqa: PLR2004 - as above
                return value
        raise ThriftError("a number is too long")

    def number(self) -> int:
        """Return the next signed number."""
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def binary(self) -> bytes:
        """Return the next text or bytes."""
        return self._take(self.varint())

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise ThriftError("it ends too early")
        data = self._data[self._at : end]
        self._at = end
        return data

    def struct(self, shape: Shape, *, last: str = "") -> dict[str, Any]:
        """Return the fields of the next structure that `shape` names; stop behind field `last`."""
        found: dict[str, Any] = {}
        number = 0
        while head := self.byte():
            kind, step = head & 0x0F, head >> 4
            number = number + step if step else self.number()
            if number not in shape:
                self.skip(kind)
                continue
            name, read = shape[number]
            found[name] = read(self, kind)
            if name == last:
                break
        return found

    def list_head(self, kind: int) -> tuple[int, int]:
        """Return the kind and the number of a list's elements."""
        if kind not in (_LIST, _SET):
            raise ThriftError("a list was expected")
        head = self.byte()
        size = head >> 4
        if size == _LONG_LIST:
            size = self.varint()
        if size > len(self._data) - self._at:
            raise ThriftError("a list is longer than the rest of it")
        return head & 0x0F, size

    def skip(self, kind: int, level: int = 0) -> None:
        """Pass over a value."""
        if level > _MAX_LEVELS:
            raise ThriftError("it nests too deep")
        if kind in (_LIST, _SET):
            inner, size = self.list_head(kind)
            for _ in range(size):
                self._skip_element(inner, level)
        elif kind == _MAP:
            self._skip_map(level)
        elif kind == STRUCT:
            self._skip_struct(level)
        elif kind not in (TRUE, _FALSE):
            self._skip_scalar(kind)

    def _skip_scalar(self, kind: int) -> None:
        if kind == _BYTE:
            self.byte()
        elif I16 <= kind <= I64:
            self.varint()
        elif kind == _DOUBLE:
            self._take(8)
        elif kind == BINARY:
            self.binary()
        else:
            raise ThriftError(f"{kind} is not a kind of value")

    def _skip_struct(self, level: int) -> None:
        while head := self.byte():
            if not head >> 4:
                self.number()
            self.skip(head & 0x0F, level + 1)

    def _skip_element(self, kind: int, level: int) -> None:
        """Pass over an element; a truth value among them takes a byte, as a field it takes none."""
        if kind in (TRUE, _FALSE):
            self.byte()
        else:
            self.skip(kind, level + 1)

    def _skip_map(self, level: int) -> None:
        size = self.varint()
        kinds = self.byte() if size else 0
        if size > len(self._data) - self._at:
            raise ThriftError("a map is longer than the rest of it")
        for _ in range(size):
            self._skip_element(kinds >> 4, level)
            self._skip_element(kinds & 0x0F, level)
