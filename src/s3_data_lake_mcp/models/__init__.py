"""The results that agents see, field by field as the tool contract names them.

Field docstrings go into the output schemas, which have a byte budget: they say only what a name
cannot.
"""

from pydantic import BaseModel, ConfigDict, NonNegativeInt


class Model(BaseModel):
    """Base of every result: immutable, and closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Source(Model):
    """What was read; for many files the prefix or glob, their sum and the newest date."""

    uri: str
    etag: str
    version_id: str
    size_bytes: NonNegativeInt
    last_modified: str


class Scan(Model):
    """What the call cost."""

    requests: NonNegativeInt
    bytes_read: NonNegativeInt
    elapsed_ms: NonNegativeInt


class Column(Model):
    """One column; `type` is Arrow's name."""

    name: str
    type: str
    nullable: bool
