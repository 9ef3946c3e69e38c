"""Copies on disk: only of the same version, only whole, bounded, private, shared."""

import os
import time
from pathlib import Path

import pytest

from s3_data_lake_mcp.storage import ObjectInfo, ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.copied import CopiedReader
from s3_data_lake_mcp.storage.copies import Copies
from support.memory import MemoryStore

KEY = "a.csv"
BODY = bytes(range(256)) * 100
HALF = len(BODY) // 2


@pytest.fixture
def store() -> MemoryStore:
    """Return a store with one object."""
    made = MemoryStore()
    made.put("lake", KEY, BODY)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the name of a folder that is not there yet."""
    return tmp_path / "c"


def info_of(store: MemoryStore, key: str = KEY) -> ObjectInfo:
    """Return the version that is there now."""
    return store.head(ObjectRef(bucket="lake", key=key), ScanMeter()).info


def scanned(
    store: MemoryStore, copies: Copies, *, parts: tuple[int, ...] = (0, HALF), head: int = 0
) -> tuple[bytes, int]:
    """Read an object in parts, as a scan does, and return its bytes and the requests."""
    meter = ScanMeter()
    reader = CopiedReader(store, info_of(store), meter, copies, head=BODY[:head])
    ends = (*parts[1:], len(BODY))
    data = b"".join(reader.read_range(at, end) for at, end in zip(parts, ends, strict=True))
    reader.close()
    return data, meter.requests


def files_in(folder: Path) -> list[str]:
    """Return the endings of the files of a folder."""
    return sorted(path.suffix for path in folder.glob("??/*"))


def test_a_scan_leaves_a_copy_for_the_next(store: MemoryStore, folder: Path) -> None:
    """What was read once, in whatever parts and with a head that was here, is not asked for."""
    assert scanned(store, Copies(folder, 1 << 20), head=100) == (BODY, 2)
    other = Copies(folder, 1 << 20)
    assert scanned(store, other, parts=(0, 77, 8_000)) == (BODY, 0)
    assert b"".join(CopiedReader(store, info_of(store), ScanMeter(), other).blocks()) == BODY


def test_an_iteration_leaves_a_copy(store: MemoryStore, folder: Path) -> None:
    """Blocks in order become a copy too; the iteration closes what it opened."""
    meter = ScanMeter()
    reader = CopiedReader(store, info_of(store), meter, Copies(folder, 1 << 20), head=BODY[:10])
    assert b"".join(reader.blocks()) == BODY
    assert files_in(folder) == [".object"]
    assert scanned(store, Copies(folder, 1 << 20)) == (BODY, 0)


def test_another_version_is_fetched(store: MemoryStore, folder: Path) -> None:
    """Bytes of a version are never handed out for another one."""
    scanned(store, Copies(folder, 1 << 20))
    store.put("lake", KEY, BODY[::-1])
    assert scanned(store, Copies(folder, 1 << 20)) == (BODY[::-1], 2)


@pytest.mark.parametrize("parts", [(HALF,), (0, HALF)])
def test_half_a_scan_leaves_nothing(
    store: MemoryStore, folder: Path, parts: tuple[int, ...]
) -> None:
    """Only a file of which every byte was written is a copy."""
    reader = CopiedReader(store, info_of(store), ScanMeter(), Copies(folder, 1 << 20))
    for start in parts:
        reader.read_range(start, start + HALF - 1)
    assert files_in(folder) == [".part"]
    reader.close()
    assert files_in(folder) == []


def test_one_of_two_makes_the_copy(store: MemoryStore, folder: Path) -> None:
    """Who scans at the same time reads on, and leaves the other's copy alone."""
    one = CopiedReader(store, info_of(store), ScanMeter(), Copies(folder, 1 << 20))
    one.read_range(0, HALF)
    assert scanned(store, Copies(folder, 1 << 20)) == (BODY, 2)
    assert files_in(folder) == [".part"]
    one.read_range(HALF, len(BODY))
    assert files_in(folder) == [".object"]
    one.close()


def test_a_copy_whose_maker_died_is_made_anew(store: MemoryStore, folder: Path) -> None:
    """What a killed worker has left is taken over after a while."""
    dead = CopiedReader(store, info_of(store), ScanMeter(), Copies(folder, 1 << 20))
    dead.read_range(0, HALF)
    (left,) = folder.glob("??/*")
    os.utime(left, (0, time.time() - 600))
    other = CopiedReader(store, info_of(store), ScanMeter(), Copies(folder, 1 << 20))
    other.read_range(0, 100)
    # It was not dead after all: its copy is its own, and the other's is no part of it.
    dead.read_range(HALF, len(BODY))
    assert scanned(store, Copies(folder, 1 << 20)) == (BODY, 0)
    other.close()
    assert files_in(folder) == [".object"]


def test_a_beginning_that_nobody_asks_for_is_copied_too(store: MemoryStore, folder: Path) -> None:
    """Who passes over a header reads the rest, and the next one all of it from the copy."""
    copies = Copies(folder, 1 << 20)
    reader = CopiedReader(store, info_of(store), ScanMeter(), copies, head=BODY[:500])
    assert b"".join(reader.blocks(300)) == BODY[300:]
    assert scanned(store, copies) == (BODY, 0)


def test_nothing_is_written_before_something_is_read(store: MemoryStore, folder: Path) -> None:
    """Who opens an object, and reads nothing of it, leaves nothing."""
    reader = CopiedReader(store, info_of(store), ScanMeter(), Copies(folder, 1 << 20))
    assert files_in(folder) == []
    reader.close()
    assert reader.read_range(0, 10) == BODY[:10]
    assert files_in(folder) == []


def test_who_reads_little_evicts_nothing(store: MemoryStore, folder: Path) -> None:
    """Copies that are complete make room for one that is going to be."""
    copies = Copies(folder, len(BODY) * 2)
    scanned(store, copies)
    store.put("lake", "b", BODY)
    reader = CopiedReader(store, info_of(store, "b"), ScanMeter(), copies)
    reader.read_range(0, HALF)
    reader.close()
    assert scanned(store, copies) == (BODY, 0)


def test_the_folder_is_bounded(folder: Path) -> None:
    """It holds no more than it may, and those used last stay; too long an object is not kept."""
    store = MemoryStore()
    copies = Copies(folder, 40_960)
    for number in range(30):
        store.put("lake", str(number), bytes(4_096))
        with_copy = CopiedReader(store, info_of(store, str(number)), ScanMeter(), copies)
        with_copy.read_range(0, 4_096)
        with_copy.close()
        newest = max(folder.glob("??/*"), key=lambda path: path.stat().st_atime_ns)
        os.utime(newest, ns=(number, newest.stat().st_mtime_ns))
    assert len(files_in(folder)) == 8
    found = copies.find(info_of(store, "29"))
    assert found is not None
    found.close()
    assert copies.find(info_of(store, "0")) is None
    store.put("lake", "long", bytes(32_769))
    assert copies.begin(info_of(store, "long")) is None


@pytest.mark.parametrize("idle_seconds", [0, 600])
def test_only_what_nobody_writes_any_more_makes_room(folder: Path, idle_seconds: int) -> None:
    """What another is writing stays, although it was used before all others."""
    store, copies = MemoryStore(), Copies(folder, 40_960)
    for number in range(12):
        store.put("lake", str(number), bytes(8_192))
    writer = CopiedReader(store, info_of(store, "0"), ScanMeter(), copies)
    writer.read_range(0, 4_096)
    (draft,) = folder.glob("??/*")
    os.utime(draft, (0, time.time() - idle_seconds))
    for number in range(1, 12):
        reader = CopiedReader(store, info_of(store, str(number)), ScanMeter(), copies)
        reader.read_range(0, 8_192)
        reader.close()
    assert draft.exists() is (idle_seconds == 0)
    writer.close()


def test_a_cut_file_is_not_used(store: MemoryStore, folder: Path) -> None:
    """A file of another length is as good as none, even one that is cut while it is read."""
    scanned(store, Copies(folder, 1 << 20))
    (path,) = folder.glob("??/*")
    meter = ScanMeter()
    reader = CopiedReader(store, info_of(store), meter, Copies(folder, 1 << 20))
    os.truncate(path, HALF)
    assert reader.read_range(HALF - 10, len(BODY)) == BODY[HALF - 10 :]
    assert meter.requests == 1
    reader.close()
    assert scanned(store, Copies(folder, 1 << 20)) == (BODY, 2)


def test_a_file_that_was_written_to_is_not_used(store: MemoryStore, folder: Path) -> None:
    """A damaged file is as good as none, even one that is damaged while it is read."""
    scanned(store, Copies(folder, 1 << 20))
    (path,) = folder.glob("??/*")
    meter = ScanMeter()
    reader = CopiedReader(store, info_of(store), meter, Copies(folder, 1 << 20))
    path.write_bytes(BODY[::-1])
    assert reader.read_range(HALF - 10, len(BODY)) == BODY[HALF - 10 :]
    assert meter.requests == 1
    reader.close()
    assert scanned(store, Copies(folder, 1 << 20)) == (BODY, 2)
    assert scanned(store, Copies(folder, 1 << 20)) == (BODY, 0)


def test_what_is_no_file_is_not_waited_for(store: MemoryStore, folder: Path) -> None:
    """A pipe under the name of a copy, to which nobody writes, holds up no scan."""
    scanned(store, Copies(folder, 1 << 20))
    (path,) = folder.glob("??/*")
    path.unlink()
    os.mkfifo(path)
    assert scanned(store, Copies(folder, 1 << 20)) == (BODY, 2)


def test_a_copy_that_is_used_stays(store: MemoryStore, folder: Path) -> None:
    """Who reads a copy after a while makes it the last to go, and leaves it as it is."""
    scanned(store, Copies(folder, 1 << 20))
    (path,) = folder.glob("??/*")
    os.utime(path, ns=(0, path.stat().st_mtime_ns))
    assert scanned(store, Copies(folder, 1 << 20)) == (BODY, 0)
    assert time.time() - path.stat().st_atime < 60
    assert scanned(store, Copies(folder, 1 << 20)) == (BODY, 0)


def test_copies_of_an_earlier_run_of_the_machine_are_not_used(
    store: MemoryStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file may have lost its bytes with the power, and kept its name and length."""
    scanned(store, Copies(folder, 1 << 20))
    monkeypatch.setattr("s3_data_lake_mcp.storage.copies._boot", lambda: "another")
    assert scanned(store, Copies(folder, 1 << 20))[1] == 2


def test_a_folder_that_others_can_enter_is_not_used(store: MemoryStore, folder: Path) -> None:
    """Data is neither left where others read it nor taken from where others write it."""
    folder.mkdir()
    folder.chmod(0o755)
    for _ in range(2):
        assert scanned(store, Copies(folder, 1 << 20)) == (BODY, 2)
    assert list(folder.iterdir()) == []


def test_files_are_the_users_own(store: MemoryStore, folder: Path) -> None:
    """Nobody else reads a copy."""
    scanned(store, Copies(folder, 1 << 20))
    assert {path.stat().st_mode & 0o077 for path in folder.rglob("*")} == {0}


def test_a_disk_that_fails_only_costs_requests(store: MemoryStore, folder: Path) -> None:
    """A folder that vanishes or fills up is no error."""
    copies = Copies(folder, 1 << 20)
    folder.rmdir()
    folder.write_text("in the way")
    for _ in range(2):
        assert scanned(store, copies) == (BODY, 2)
