"""What a rehearsal prints: a line for each thing that is as it should be."""

import sys


def say(text: str) -> None:
    """Begin a part."""
    print(f"\n{text}", flush=True)


def check(fact: bool, said: str) -> None:  # noqa: FBT001 - the fact that is checked
    """Print what holds, or end the rehearsal."""
    print(f"  {'ok ' if fact else 'NOT'} {said}", flush=True)
    if not fact:
        sys.exit(1)
