"""The profile of a subject on the basis that was asked for, or the best that the budget allows."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa

from s3_data_lake_mcp.engines import Engine, TableSession
from s3_data_lake_mcp.errors import (
    DeadlineExceededError,
    FormatError,
    InvalidArgumentError,
    LakeError,
    LimitExceededError,
    ObjectArchivedError,
    SqlError,
    UnsupportedFormatError,
)
from s3_data_lake_mcp.loaders.parquet_open import needs_key
from s3_data_lake_mcp.profiling import Basis, Json, sample_figures, telling
from s3_data_lake_mcp.profiling.aggregates import ProfiledColumn
from s3_data_lake_mcp.profiling.columns import (
    choose_columns,
    first_rows,
    spelt_once,
    stored_types,
    typed,
    types_of,
    types_with,
)
from s3_data_lake_mcp.profiling.early_sample import EarlySample, drawn_early
from s3_data_lake_mcp.profiling.exact import Measured, measure
from s3_data_lake_mcp.profiling.footer import are_few, profile_footers, read_footers, refuse_many
from s3_data_lake_mcp.profiling.partitions import partitions_of
from s3_data_lake_mcp.profiling.plans import plans_of
from s3_data_lake_mcp.profiling.sample import MOST_ROWS, Sample, Sampler
from s3_data_lake_mcp.profiling.sample_ranges import EARLY_RANGE_BYTES, RANGE_BYTES
from s3_data_lake_mcp.profiling.subject import Subject
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectStore, ScanMeter, check_versions

_SHARE_OF_TIME = 0.6
_KEPT_BYTES = 4 << 20
_SMALL_BYTES = 32 << 20
_SMALL_PARQUET_BYTES = 8 << 20
"""Up to here distinct counts and quantiles are exact, which takes some ten times as much memory."""

_MOST_SCANS = 3


@dataclass(slots=True, kw_only=True)
class Profiled:
    """The contract's `profile`, its columns apart, and what to know of it."""

    rows: int | None
    rows_basis: Basis
    columns: list[Json]
    duplicates_note: str = ""
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiler:
    """Makes profiles within one call."""

    store: ObjectStore
    engine: Engine
    settings: Settings
    meter: ScanMeter
    progress: Callable[[int, int], None]

    def profile(self, subject: Subject, columns: Sequence[str], basis: str) -> Profiled:
        """Return the profile; `auto` takes what is exact, if there is time and budget for it.

        Raises:
            UnknownColumnError: If a column is not there.
            InvalidArgumentError: If the basis does not fit the format.
            LimitExceededError: If an exact profile was asked for and does not fit the budget.
        """
        if basis == "footer" and subject.format != "parquet":
            message = f"{subject.uri} is {subject.format}, which has no footers"
            raise InvalidArgumentError(
                message, hint="Only Parquet has; use another basis.", repair={"basis": "auto"}
            )
        ways = {"exact": self._exactly, "footer": self._footer, "sample": self._sample}
        return ways.get(basis, self._best)(subject, columns)

    def _best(self, subject: Subject, columns: Sequence[str]) -> Profiled:
        reason = "reading all of it would take too long. basis=exact tries it anyway"
        if subject.size_bytes > self.meter.remaining_bytes:
            reason = "it has more bytes than a call may read"
        elif subject.scan_seconds <= _SHARE_OF_TIME * self.meter.remaining_seconds:
            try:
                with self._sooner(self.meter.remaining_bytes - subject.size_bytes):
                    return self._exact(subject, columns)
            except DeadlineExceededError:
                self.meter.check()
            except LimitExceededError as exc:
                self.meter.check()
                reason = f"{exc}. basis=exact tries it anyway"
            except (FormatError, ObjectArchivedError) as exc:
                reason = str(exc)
        found = self._roughly(subject, columns)
        found.notices.append(f"Not exact: {reason}.")
        return found

    def _roughly(self, subject: Subject, columns: Sequence[str]) -> Profiled:
        if subject.format == "parquet" and are_few(
            subject.objects, subject.objects_total, self.meter
        ):
            try:
                return self._footer(subject, columns)
            except FormatError:
                # A sample does without what is damaged.
                if subject.objects_total == 1:
                    raise
        return self._sample(subject, columns)

    @contextlib.contextmanager
    def _sooner(self, spare_bytes: int) -> Iterator[None]:
        """Keep time, and some of so many bytes, for another basis behind what is done."""
        deadline = self.meter.deadline
        self.meter.deadline -= (1 - _SHARE_OF_TIME) * self.meter.remaining_seconds
        self.meter.kept_bytes = min(_KEPT_BYTES, spare_bytes // 2)
        try:
            yield
        finally:
            self.meter.deadline, self.meter.kept_bytes = deadline, 0

    def _exactly(self, subject: Subject, columns: Sequence[str]) -> Profiled:
        if subject.size_bytes > self.meter.remaining_bytes:
            message = (
                f"{subject.uri} has {subject.size_bytes:,} bytes, more than a call may read "
                f"({self.meter.remaining_bytes:,})"
            )
            raise LimitExceededError(
                message, hint="Take a sample, or a narrower prefix.", repair={"basis": "sample"}
            )
        try:
            return self._exact(subject, columns)
        except (LimitExceededError, DeadlineExceededError) as exc:
            hint = "Take a sample, fewer columns or a narrower prefix."
            raise type(exc)(str(exc), hint=hint, repair={"basis": "sample"}) from exc

    def _exact(self, subject: Subject, columns: Sequence[str]) -> Profiled:
        try:
            return self._scanned(subject, columns)
        except UnsupportedFormatError as exc:
            free: Any = (exc.repair or {}).get("columns")
            if columns or not free:
                raise
            found = self._scanned(subject, free)
            found.notices.append(f"{exc}; the other columns are profiled.")
            return found

    def _scanned(self, subject: Subject, columns: Sequence[str]) -> Profiled:
        is_parquet = subject.format == "parquet"
        small = subject.size_bytes <= (_SMALL_PARQUET_BYTES if is_parquet else _SMALL_BYTES)
        # Samples of Parquet would take more requests than they spare.
        draws = not small and not is_parquet
        opened = partial(self.engine.open_table, subject.bucket, subject.key, self.meter)
        with (
            drawn_early(partial(self._early_sample, subject) if draws else None) as early,
            opened(early.beside(self.progress)) as session,
        ):
            check_versions([*subject.infos, *session.sources])
            chosen, left_out, measured = self._settled(
                session, subject, columns, early, small=small
            )
            rows = measured.rows
            notices = [left_out, *telling.told(measured.figures), *measured.notices]
            if small and rows:
                table = first_rows(session, chosen, MOST_ROWS)
                notices.append(telling.shape(table, chosen, of=rows))
                note = telling.duplicates(session, chosen, measured.figures, rows)
            else:
                notices.append(early.shape())
                note = telling.likely_key(measured.figures, rows)
            stored = stored_types(session) if is_parquet else {}
        return Profiled(
            rows=rows,
            rows_basis="exact",
            columns=[typed(figures.as_json("exact"), stored) for figures in measured.figures],
            duplicates_note=note,
            notices=[notice for notice in notices if notice],
        )

    def _settled(
        self,
        session: TableSession,
        subject: Subject,
        columns: Sequence[str],
        early: EarlySample,
        *,
        small: bool,
    ) -> tuple[list[ProfiledColumn], str, Measured]:
        """Measure until the types of the columns hold: a scan may find values that widen them."""
        types = types_with(session, columns)
        for scan in range(_MOST_SCANS):
            chosen, left_out = self._choose(types, columns, subject.uri)
            known, lessons = types, session.lessons
            try:
                if small:
                    session.gather([column.name for column in chosen])
                sample, room = early.sample(), self.meter.remaining_bytes
                plans = plans_of(sample, chosen, subject.size_bytes, room) if sample else None
                early.choose(chosen)
                measured = measure(session, chosen, small=small, plans=plans)
                measured.notices[:0] = session.notices  # a session that begins anew forgets some
            except SqlError:
                if (types := types_of(session)) == known:
                    raise
            else:
                if session.lessons == lessons or (types := types_of(session)) == known:
                    return chosen, left_out, measured
            if scan:
                # Measures end with the first column that widens; counts go on to the others.
                types = types_of(session, chosen)
        message = f"{subject.uri} has columns whose types keep changing as more of them is read"
        raise LimitExceededError(message, hint="Take a sample.", repair={"basis": "sample"})

    def _choose(
        self, types: dict[str, pa.DataType], columns: Sequence[str], uri: str
    ) -> tuple[list[ProfiledColumn], str]:
        room = self.settings.max_result_bytes
        return choose_columns(types, columns, uri, room_bytes=room)

    def _draw(self, subject: Subject, columns: Sequence[str], range_bytes: int) -> Sample:
        sampler = Sampler(
            store=self.store,
            meter=self.meter,
            max_decoded_bytes=self.settings.max_decoded_bytes,
            range_bytes=range_bytes,
            columns=columns,
        )
        total = subject.objects_total + subject.archived
        return sampler.draw(subject.refs, subject.format, subject.seed, total=total)

    def _early_sample(self, subject: Subject) -> Sample | None:
        """Return a sample that spares the exact scan its second pass; it is not needed."""
        try:
            sample = self._draw(subject, (), EARLY_RANGE_BYTES)
        except LakeError:
            self.meter.check()
            return None
        return sample if sample.table.num_rows else None

    def _sample(self, subject: Subject, columns: Sequence[str]) -> Profiled:
        sample = self._draw(subject, columns, RANGE_BYTES)
        table = sample.table
        if sample.locked and not {*sample.locked}.isdisjoint(columns):
            raise needs_key(subject.uri, sample.locked, table.column_names)
        types = {one.name: one.type for one in table.schema}
        told = subject.uri if sample.whole else f"The sample of {subject.uri}"
        chosen, left_out = self._choose(types, columns, told)
        with sample_figures.computing(subject.uri):
            figures = sample_figures.figures_of(table, chosen)
            repeated = sample_figures.repeated_rows(table.select([c.name for c in chosen]))
        notices = [
            telling.drawn(sample, subject),
            telling.archived(subject),
            left_out,
            *sample.notices,
            *sample.counted,
            *telling.told(figures, "" if sample.whole else " (in the sample)"),
        ]
        notices.append(telling.shape(table, chosen, of=table.num_rows if sample.whole else None))
        return Profiled(
            rows=table.num_rows,
            rows_basis="sample",
            columns=[typed(each.as_json("sample"), sample.stored) for each in figures],
            duplicates_note=telling.repeated(repeated, table.num_rows),
            notices=[notice for notice in notices if notice],
        )

    def _footer(self, subject: Subject, columns: Sequence[str]) -> Profiled:
        refuse_many(subject.uri, subject.objects_total)
        footers = read_footers(self.store, subject.refs, self.meter)
        partitions = partitions_of([ref.key for ref in subject.refs]) if len(footers) > 1 else {}
        types: dict[str, pa.DataType] = {}
        spelt = spelt_once([footer.names for footer in footers])
        for footer in footers:
            for at, name in enumerate(footer.names):
                types.setdefault(spelt[name], footer.schema.field(at).type)
        types |= {name: values.type for name, values in partitions.items()}
        chosen, left_out = self._choose(types, columns, subject.uri)
        found = profile_footers(footers, chosen, partitions)
        locked = tuple(dict.fromkeys(f.names[at] for f in footers for at in sorted(f.locked)))
        others = (telling.archived(subject), left_out, telling.locked(subject, locked))
        return Profiled(
            rows=found.rows,
            rows_basis="footer",
            columns=found.as_json([column.name for column in chosen]),
            notices=[said for said in (telling.FOOTERS, found.mixture(), *others) if said],
        )
