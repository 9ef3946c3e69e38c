"""Values for buckets by glob: the first that fits holds, and what cannot be read is refused."""

import re

import pytest

from s3_data_lake_mcp.errors import InvalidArgumentError
from s3_data_lake_mcp.globs import BucketMap, Kind

KIND = Kind(setting="S3_DATA_LAKE_COLOURS", value=re.compile(r"[a-z:=]+"), form="colour")


@pytest.mark.parametrize(
    ("text", "bucket", "value"),
    [
        ("", "lake", ""),
        ("lake=red", "lake", "red"),
        ("lake=red", "lake-eu", ""),
        ("lake*=red", "lake-eu", "red"),
        (" lake-* = red , *=blue ", "lake-eu", "red"),
        ("*=blue,lake-*=red", "lake-eu", "blue"),
        ("a*b*c=red", "a-b-c", "red"),
        ("a*b*c=red", "a-c", ""),
        ("red", "anything", "red"),
        ("lake=a:b=c", "lake", "a:b=c"),
        (":b=c", "lake", ":b=c"),
    ],
)
def test_first_glob_that_fits_holds(text: str, bucket: str, value: str) -> None:
    """In the order of the setting; a value alone is for every bucket."""
    assert BucketMap(text, KIND).of(bucket) == value


@pytest.mark.parametrize(
    "text", ["lake=RED", "lake=", "=RED", "la ke=red", "lake=red;b=blue", " , "]
)
def test_what_cannot_be_read_is_refused_with_the_settings_name(text: str) -> None:
    """A mistyped entry must not leave a bucket without its value."""
    with pytest.raises(InvalidArgumentError) as caught:
        BucketMap(text, KIND)
    assert "S3_DATA_LAKE_COLOURS" in str(caught.value)
    assert "bucket-glob=colour" in caught.value.hint


def test_buckets_named_in_full() -> None:
    """Globs are left out, and each name stands once."""
    assert BucketMap("b=x,a*=x,a=y,b=y", KIND).named() == ("a", "b")
