"""Ranges are asked for as the SDK asks, signed alike, and by the SDK where that cannot be."""

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from s3_data_lake_mcp.aws.objects import Sent, sign

NOW = datetime(2026, 11, 29, 23, 59, 58, tzinfo=UTC)
URL = "https://lake.s3.eu-central-1.amazonaws.com/a/b%20c%2Bd.parquet"
_words = st.text("abcXYZ0123456789-_ ", min_size=1, max_size=12).map(str.strip).filter(bool)


def by_sdk(
    url: str, headers: dict[str, str], keys: ReadOnlyCredentials, region: str
) -> dict[str, str]:
    """Return headers as the SDK signs them."""
    request = AWSRequest(method="GET", url=url, headers=headers)
    with at_the_same_time():
        S3SigV4Auth(keys, "s3", region).add_auth(request)
    return in_lower_case(dict(request.headers.items()))


def at_the_same_time() -> AbstractContextManager[object]:
    """Let the SDK sign as if it were `NOW`."""
    return patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None))


def in_lower_case(headers: dict[str, str]) -> dict[str, str]:
    """Return headers by names in lower case."""
    return {name.lower(): value for name, value in headers.items()}


@given(
    url=st.sampled_from([URL, "http://127.0.0.1:9000/lake/x", "https://host:8443/l/%C3%A4=1/~y"]),
    extra=st.dictionaries(st.sampled_from(["x-amz-request-payer", "accept-encoding"]), _words),
    keys=st.builds(
        ReadOnlyCredentials,
        st.just("AKIDEXAMPLE"),
        _words,
        st.none() | _words,
    ),
    region=st.sampled_from(["eu-central-1", "us-east-1"]),
)
def test_further_ranges_are_signed_as_the_sdk_would(
    url: str, extra: dict[str, str], keys: ReadOnlyCredentials, region: str
) -> None:
    """Whatever the object, the credentials and the other headers: all that S3 asks for."""
    user = {"User-Agent": "test", **extra}
    captured = by_sdk(url, {**user, "Range": "bytes=-9", "If-Match": '"1"'}, keys, region)
    sent = Sent.of(url, captured, str(keys.access_key))
    assert sent is not None
    with at_the_same_time():
        signed = in_lower_case(sign(sent, keys, ("GET", ())))
    assert signed == by_sdk(url, user, keys, region)
    named = set(signed["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";"))
    # What S3 asks for: a range and a condition may be added to what is signed.
    assert named >= {"host", *(name for name in signed if name.startswith("x-amz-"))}
    assert not named & {"range", "if-match"}


@pytest.mark.parametrize(
    ("url", "changed", "access_key"),
    [
        (URL + "?versionId=1", {}, "AKIDEXAMPLE"),
        (URL, {}, "AKIDANOTHER"),
        (URL, {"authorization": ""}, "AKIDEXAMPLE"),
        (URL, {"authorization": "AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE"}, "AKIDEXAMPLE"),
    ],
    ids=["query", "other keys", "anonymous", "asymmetric"],
)
def test_what_is_signed_otherwise_is_left_to_the_sdk(
    url: str, changed: dict[str, str], access_key: str
) -> None:
    """A version in the URL, keys of a session, no signature or one of another kind."""
    keys = ReadOnlyCredentials("AKIDEXAMPLE", "secret", None)
    captured = by_sdk(url, {"Range": "bytes=0-9"}, keys, "us-east-1")
    assert Sent.of(url, {**captured, **changed}, access_key) is None
