"""An outline of a value that is too long to show: its shape, with counts for what is left out."""

from collections.abc import Mapping, Sequence

OUTLINE = "The value is too long to be shown: this is an outline. Use `path` to look into it."
"""What to say of one."""

CELL_CHARS = 2_000
"""Texts longer than this are clipped on their way out, so they count as this long."""

_SHAPES = tuple((width, depth) for width in (500, 100, 30, 10, 3, 0) for depth in (8, 5, 3, 2, 1))
"""Widest container shown and deepest level shown, from the fullest outline to the barest."""

_PUNCTUATION_BYTES = 4
_NUMBER_BYTES = 8


class _Spent(Exception):  # noqa: N818 - ends a count, is not an error
    """The budget is used up."""


class _Budget:
    def __init__(self, size: int) -> None:
        self.left = size

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise _Spent

    def text(self, value: str) -> None:
        shown = value[:CELL_CHARS]
        escapes = shown.count('"') + shown.count("\\") + 5 * sum(c < " " for c in shown)
        size = len(shown) if shown.isascii() else len(shown.encode(errors="replace"))
        self.spend(size + escapes + _PUNCTUATION_BYTES)


def fits(value: object, max_bytes: int) -> bool:
    """Whether the compact JSON of a value takes at most about `max_bytes`, long texts clipped."""
    budget = _Budget(max_bytes)
    stack = [value]
    try:
        while stack:
            node = stack.pop()
            _spend(node, budget)
            if isinstance(node, dict):
                budget.spend(len(node))
                stack.extend(node)
                stack.extend(node.values())
            elif isinstance(node, list):
                budget.spend(len(node))
                stack.extend(node)
    except _Spent:
        return False
    return True


def outline(value: object, max_bytes: int) -> object:
    """Return the fullest outline that fits: `{… 120 keys}` and `[… 5000 items]` stand for the rest.

    The keys of the outermost object are shown as far as they fit; a last key `…` counts the others.
    """
    for width, depth in _SHAPES:
        try:
            return _root(value, width, depth, _Budget(max_bytes))
        except _Spent:
            continue
    return _mark(value)


def _spend(node: object, budget: _Budget) -> None:
    if isinstance(node, str):
        budget.text(node)
    elif isinstance(node, int | float) and not isinstance(node, bool):
        budget.spend(len(repr(node)) + 2)
    else:
        budget.spend(_NUMBER_BYTES)


def _mark(value: object) -> object:
    if isinstance(value, Mapping):
        return f"{{… {len(value)} {'key' if len(value) == 1 else 'keys'}}}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[… {len(value)} {'item' if len(value) == 1 else 'items'}]"
    return value


def _root(value: object, width: int, depth: int, budget: _Budget) -> object:
    if not isinstance(value, dict):
        return _shape(value, width, depth, budget)
    shown: dict[str, object] = {}
    for key in list(value)[:width]:
        budget.text(key)
        shown[key] = _shape(value[key], width, depth - 1, budget)
    if rest := len(value) - len(shown):
        budget.text(f"{{… {rest} keys}}")
        name = "…"
        while name in shown:
            name += "…"
        shown[name] = f"{{… {rest} {'key' if rest == 1 else 'keys'}}}"
    return shown


def _shape(value: object, width: int, depth: int, budget: _Budget) -> object:
    if not isinstance(value, dict | list) or not value:
        _spend(value, budget)
        return value
    if depth <= 0 or len(value) > width:
        mark = _mark(value)
        _spend(mark, budget)
        return mark
    budget.spend(_PUNCTUATION_BYTES)
    if isinstance(value, list):
        return [_shape(item, width, depth - 1, budget) for item in value]
    shown: dict[str, object] = {}
    for key, item in value.items():
        budget.text(key)
        shown[key] = _shape(item, width, depth - 1, budget)
    return shown
