"""What a profile says beside its figures: a few words on columns, rows and samples."""

from collections.abc import Sequence

import pyarrow as pa

from s3_data_lake_mcp.engines import TableSession
from s3_data_lake_mcp.errors import LimitExceededError, MalformedDataError
from s3_data_lake_mcp.fence import first_of, plural
from s3_data_lake_mcp.loaders.parquet_open import needs_key
from s3_data_lake_mcp.profiling import sample_figures
from s3_data_lake_mcp.profiling.aggregates import ProfiledColumn
from s3_data_lake_mcp.profiling.figures import Figures, findings
from s3_data_lake_mcp.profiling.sample import Sample
from s3_data_lake_mcp.profiling.subject import Subject

FOOTERS = (
    "Figures are from Parquet footers, no data was read: distinct, mean, quantiles, top and "
    "histogram need basis=sample or exact."
)
_KEY_SHARE = 0.95
_NAMED = 6


def told(figures: Sequence[Figures], where: str = "") -> list[str]:
    """Return one notice of what there is to say of single columns; `where` it was seen."""
    columns: dict[str, list[str]] = {}
    for each in figures:
        for finding in findings(each):
            columns.setdefault(finding, []).append(each.column.name)
    said = [f"{first_of(names, _NAMED)}: {finding}" for finding, names in columns.items()]
    return [f"Columns{where}: {'; '.join(said)}."] if said else []


def shape(table: pa.Table, chosen: Sequence[ProfiledColumn], *, of: int | None) -> str:
    """Return a notice of what columns say together; `of` is how many rows there are, if known."""
    known = [
        ProfiledColumn(name=c.name, type=table.schema.field(c.name).type, position=c.position)
        for c in chosen
        if c.name in table.column_names
    ]
    whole = of is not None and table.num_rows >= of
    try:
        with sample_figures.computing("The sample"):
            said = sample_figures.shape_of(table, known, whole=whole)
    except MalformedDataError:
        return ""
    if not said:
        return ""
    label = "" if whole else f" (in {table.num_rows:,} rows looked at)"
    return f"Shape{label}: {'; '.join(said)}."


def duplicates(
    session: TableSession, chosen: Sequence[ProfiledColumn], figures: Sequence[Figures], rows: int
) -> str:
    """Return how many rows repeat another one, counted unless a column is unique."""
    for each in figures:
        if each.distinct_exact and each.distinct == rows:
            return f"No row repeats another one: {each.column.name} is unique."
    names = ", ".join(column.identifier for column in chosen)
    apart = f"SELECT DISTINCT {names} FROM {session.rows}"  # noqa: S608 - as above
    counted = f"SELECT count(*) AS n FROM ({apart})"  # noqa: S608 - as above
    try:
        distinct = session.execute(counted).column("n")[0].as_py() or 0
    except LimitExceededError:
        return ""
    if rows == distinct:
        return "No row repeats another one."
    return f"{rows - distinct:,} of {rows:,} rows repeat another one in these columns."


def likely_key(figures: Sequence[Figures], rows: int) -> str:
    """Return which columns may tell rows apart, where repeated rows were not counted."""
    if not rows:
        return ""
    near = [each.column.name for each in figures if (each.distinct or 0) >= _KEY_SHARE * rows]
    if not near:
        return "Repeated rows were not counted; no column looks unique."
    return f"Repeated rows were not counted; {', '.join(near[:3])} may be unique (an estimate)."


def repeated(count: int | None, rows: int) -> str:
    """Say how many of so many sampled rows repeat another one, if that is known."""
    if count is None:
        return ""
    return f"{count:,} of {rows:,} sampled rows repeat another one in these columns."


def drawn(sample: Sample, subject: Subject) -> str:
    """Say what a sample is, and how much there is besides."""
    rows = sample.table.num_rows
    if sample.whole:
        return f"The sample is all {rows:,} rows."
    text = f"Sample of {rows:,} rows from {sample.where}"
    if sample.total_rows is not None:
        text += f", of {sample.total_rows:,} rows in all"
    elif sample.size_bytes and rows and subject.objects_total == 1:
        # How long all of a compressed object's text is, nobody knows.
        whole = "MB decompressed" if sample.packed else f"of {subject.size_bytes / 1e6:,.1f} MB"
        text += f" ({sample.size_bytes / 1e6:,.1f} {whole})"
    return f"{text}: all figures, counts too, are of these rows; min and max are what was seen."


def locked(subject: Subject, names: Sequence[str]) -> str:
    """Say which columns are encrypted, so that little is known of them; empty for none."""
    return f"{needs_key(subject.uri, names, ())}." if names else ""


def archived(subject: Subject) -> str:
    """Say how many objects are left out because they cannot be read; empty for none."""
    if not subject.archived:
        return ""
    return f"{plural(subject.archived, 'archived object', 'is', 'are')} not in the profile."
