"""What a worker remembers of objects stays bounded, and goes when the object is forgotten."""

import gc
import weakref

from s3_data_lake_mcp.engines import opening
from s3_data_lake_mcp.engines.facts import Memory
from s3_data_lake_mcp.storage import ObjectInfo, ObjectRef

MOST = 2_000


class Layout:
    """Something learnt of an object."""


def _info(name: object, etag: str = "e") -> ObjectInfo:
    return ObjectInfo(ref=ObjectRef(bucket="lake", key=f"{name}.csv"), size_bytes=1, etag=etag)


def test_nothing_is_kept_of_what_is_forgotten() -> None:
    """Objects of a few bytes each are as many as they are: what was learnt of them goes too."""
    memory = Memory()
    learnt = []
    for name in range(MOST + 5):
        memory.keep(_info(name), "head", b"a")
        memory.facts(_info(name))["layout"] = layout = Layout()
        learnt.append(weakref.ref(layout))
    del layout
    gc.collect()
    assert sum(one() is not None for one in learnt) == MOST
    assert memory.recall(_info(0).ref) is None


def test_of_a_newer_version_nothing_older_is_kept() -> None:
    """What was learnt of a version goes when another one is seen."""
    memory = Memory()
    memory.keep(_info("x"), "head", b"a")
    memory.facts(_info("x"))["layout"] = layout = Layout()
    learnt = weakref.ref(layout)
    del layout
    assert memory.facts(_info("x", "newer")) == {}
    gc.collect()
    assert learnt() is None


def test_heads_are_bounded_by_their_bytes() -> None:
    """The least recent are dropped; what else is known of their objects stays."""
    memory = Memory()
    head = bytes(opening.HEAD_BYTES)
    for name in range(70):
        memory.facts(_info(name))["format"] = "csv"
        memory.keep(_info(name), "head", head)
        memory.keep(_info(name), "head", head)
    kept = [name for name in range(70) if "head" in memory.facts(_info(name))]
    assert kept == list(range(6, 70))
    assert all("format" in memory.facts(_info(name)) for name in range(70))
