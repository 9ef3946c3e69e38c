"""The error tree, its drawing and its codes."""

import pytest

from s3_data_lake_mcp import errors
from s3_data_lake_mcp.errors import LakeError, error_from

CODES = [
    "invalid_argument",
    "unknown_column",
    "sql_error",
    "not_read_only",
    "not_allowed",
    "not_found",
    "access_denied",
    "no_credentials",
    "credentials_expired",
    "wrong_region",
    "object_archived",
    "kms_denied",
    "object_changed",
    "unsupported_format",
    "malformed_data",
    "limit_exceeded",
    "timeout",
    "store_unavailable",
    "internal_error",
]


def tree(cls: type[LakeError] = LakeError) -> list[type[LakeError]]:
    """Return every error class below one."""
    return [found for child in cls.__subclasses__() for found in (child, *tree(child))]


def test_every_error_is_in_the_drawing() -> None:
    """The module's drawing names each class."""
    drawing = errors.__doc__ or ""
    assert [cls.__name__ for cls in tree() if cls.__name__ not in drawing] == []


def test_the_codes_are_those_of_the_contract() -> None:
    """Each code of the contract belongs to one class, and there is no other."""
    own = [vars(cls)["code"] for cls in tree() if "code" in vars(cls)]
    assert sorted(own) == sorted(CODES)


@pytest.mark.parametrize("code", CODES)
def test_an_error_survives_the_way_out_of_a_worker(code: str) -> None:
    """Code, text, hint and repair arrive as they were raised."""
    error = error_from(code, "x is odd", hint="Do y.", repair={"a": 1}, repair_tool="t")
    assert (error.code, str(error), error.hint) == (code, "x is odd", "Do y.")
    assert (error.repair, error.repair_tool) == ({"a": 1}, "t")


def test_an_unknown_code_is_a_bug_of_ours() -> None:
    """A code that no class has becomes internal_error."""
    assert error_from("new_code", "x").code == "internal_error"
