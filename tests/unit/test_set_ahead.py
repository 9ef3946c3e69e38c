"""The objects of a set of text: the next ones are on their way while one is read, each once."""

import threading

import pytest

from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectInfo, ObjectRef, ScanMeter, setahead
from s3_data_lake_mcp.storage.pinned import PinnedObject
from s3_data_lake_mcp.storage.scope import Scope
from s3_data_lake_mcp.storage.setahead import MOST_OBJECTS, SetAhead
from support.downloads import settle
from support.engine import BUCKET, Desk
from support.memory import MemoryStore

TEXTS = {
    "csv": b"n,text\n" + (b"7," + b"x" * 98 + b"\n") * 2_000,
    "jsonl": (b'{"n": 7, "text": "' + b"x" * 82 + b'"}\n') * 2_000,
}
OBJECTS = 100
SIDE_BY_SIDE = 8


class Noted:
    """Counts how often it is begun."""

    def __init__(self) -> None:
        self.begun = 0

    def begin(self) -> None:
        """Count."""
        self.begun += 1


def set_of(count: int, held: int = 1) -> tuple[SetAhead, list[Noted]]:
    """Return objects, and what begins them."""
    members = [Noted() for _ in range(count)]
    return SetAhead([(member, held) for member in members]), members


def begun(members: list[Noted]) -> list[int]:
    """Return which are begun; none may be twice."""
    assert {member.begun for member in members} <= {0, 1}
    return [at for at, member in enumerate(members) if member.begun]


def test_half_as_many_are_begun_as_were_read() -> None:
    """Who reads one object gets no other; who reads on gets more and more."""
    ahead, members = set_of(100)
    ahead.reach(0)
    assert begun(members) == []
    for at in range(1, 10):
        ahead.reach(at)
    # The third was there when the second was read, and so on: none behind the fifteenth.
    assert max(begun(members)) == 14
    ahead.reach(99)
    assert max(begun(members)) == 14


def test_all_that_may_be_are_begun_where_all_are_going_to_be_read() -> None:
    """They come in their order, and never more than so many."""
    ahead, members = set_of(100)
    ahead.eager = True
    ahead.reach(0)
    assert begun(members) == list(range(1, MOST_OBJECTS + 1))
    ahead.reach(3)
    assert begun(members) == list(range(1, MOST_OBJECTS + 4))


def test_no_more_bytes_are_on_their_way_than_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was come to makes room, also for who skips some."""
    monkeypatch.setattr(setahead, "MOST_BYTES", 30)
    ahead, members = set_of(100, held=10)
    ahead.eager = True
    ahead.reach(0)
    assert begun(members) == [1, 2, 3]
    ahead.reach(2)
    assert begun(members) == [1, 2, 3, 4, 5]
    ahead.reach(50)
    assert begun(members) == [1, 2, 3, 4, 5, 51, 52, 53]
    ahead.reach(7)
    assert begun(members) == [1, 2, 3, 4, 5, 51, 52, 53]


def test_who_begins_anew_gets_all_of_them_again() -> None:
    """A summary reads a set as often as it has passes."""
    ahead, members = set_of(10)
    ahead.eager = True
    ahead.reach(0)
    ahead.reach(9)
    ahead.restart()
    ahead.reach(0)
    assert [member.begun for member in members] == [0] + [2] * 9


@pytest.mark.parametrize(("budget", "count"), [(64 << 20, 0), (1 << 30, 1)])
def test_a_small_budget_is_left_to_what_is_read_for_certain(budget: int, count: int) -> None:
    """What is begun counts, and may not be read after all."""
    scope = Scope(ScanMeter(max_bytes=budget))
    store = MemoryStore()
    for name in "ab":
        store.put(BUCKET, name, bytes(100))
        info, _ = store.get_head(ObjectRef(bucket=BUCKET, key=name), 1, ScanMeter())
        scope.add(name, PinnedObject(store, info, scope.meter, access="scan"))
    scope.read_ahead({"a": 100, "b": 100})
    scope.expect_all()
    scope.reach("a")
    settle()
    assert scope.meter.requests == count


class Meeting(MemoryStore):
    """A store whose answers wait, once, until so many requests are on their way together."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[str] = []
        self.meeting = threading.Barrier(SIDE_BY_SIDE)
        self.met = False

    def get_range(self, info: ObjectInfo, start: int, stop: int, meter: ScanMeter) -> bytes:
        """Return a range when enough others are asked for, or if none comes any more."""
        if start or stop == info.size_bytes:
            self.keys.append(info.ref.key)
            if not self.met:
                try:
                    self.meeting.wait(5)
                    self.met = True
                except threading.BrokenBarrierError:
                    pass
        return super().get_range(info, start, stop, meter)


def desk_of(form: str) -> tuple[Desk, Meeting]:
    """Return an engine over a set of objects, and its store."""
    store = Meeting()
    desk = Desk(store=store, settings=Settings(_env_file=None, cache_bytes="64MB"))  # type: ignore[call-arg, arg-type] # pydantic-settings' own keyword; a size as text
    for at in range(OBJECTS):
        desk.put(f"set/{at:03}.{form}", TEXTS[form])
    return desk, store


@pytest.mark.parametrize("form", TEXTS)
def test_the_objects_of_a_set_are_fetched_side_by_side(form: str) -> None:
    """Many are on their way at once; none comes twice, and no byte of it."""
    desk, store = desk_of(form)
    assert desk.value("set/", "SELECT sum(n) AS n FROM data") == 7 * 2_000 * OBJECTS
    assert store.met
    assert len(store.keys) == len(set(store.keys)) == OBJECTS
    assert desk.meter.bytes_read <= OBJECTS * len(TEXTS[form]) * 1.1


def test_who_wants_a_few_rows_of_a_set_fetches_few_objects() -> None:
    """What is read ahead is as much again as half of what was read."""
    desk, store = desk_of("csv")
    store.met = True
    desk.rows("set/", "SELECT n FROM data WHERE n = 7 LIMIT 1")
    assert len(store.keys) <= 12


def test_objects_that_the_engine_has_are_not_fetched_again() -> None:
    """A set of which a part was read before costs the other part."""
    desk, store = desk_of("csv")
    store.met = True
    desk.rows("set/03*.csv", "SELECT sum(n) AS n FROM data")
    store.keys.clear()
    assert desk.value("set/", "SELECT sum(n) AS n FROM data") == 7 * 2_000 * OBJECTS
    assert len(store.keys) == len(set(store.keys)) == OBJECTS - 10


class Noting(MemoryStore):
    """A store that notes where the ranges begin that it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.starts: list[int] = []

    def get_range(self, info: ObjectInfo, start: int, stop: int, meter: ScanMeter) -> bytes:
        """Note a range, and return it."""
        self.starts.append(start)
        return super().get_range(info, start, stop, meter)


@pytest.mark.parametrize("size", [5 << 20, 40 << 20])
def test_what_is_begun_is_kept_until_it_is_read_and_no_longer(size: int) -> None:
    """The engine opens an object more often than it reads it."""
    store, meter, ref = Noting(), ScanMeter(), ObjectRef(bucket=BUCKET, key="a.csv")
    store.put(BUCKET, ref.key, bytes(size))
    info, _ = store.get_head(ref, 1, meter)
    pinned = PinnedObject(store, info, meter, access="scan")
    pinned.begin()
    for _ in range(2):
        read = pinned.open()
        pinned.release()
    assert read(0, 1 << 20) == bytes(1 << 20)
    assert store.starts.count(0) == 1
    pinned.open()
    pinned.release()
    read(0, 1 << 20)
    assert store.starts.count(0) == 2
    pinned.close()
