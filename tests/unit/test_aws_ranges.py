"""Ranges are asked for as the SDK asks, signed alike, and by the SDK where that cannot be."""

from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from s3_data_lake_mcp.aws.ranges import Keys, Sent, sign

NOW = datetime(2026, 11, 29, 23, 59, 58, tzinfo=UTC)
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
URL = "https://lake.s3.eu-central-1.amazonaws.com/a/b%20c%2Bd.parquet"
_words = st.text("abcXYZ0123456789-_ ", min_size=1, max_size=12).map(str.strip).filter(bool)


def by_sdk(url: str, headers: dict[str, str], keys: Keys, region: str) -> dict[str, str]:
    """Return headers as the SDK signs them."""
    request = AWSRequest(method="GET", url=url, headers=headers)
    credentials = Credentials(keys.access_key, keys.secret_key, keys.token)
    with patch("botocore.auth.get_current_datetime", return_value=NOW.replace(tzinfo=None)):
        S3SigV4Auth(credentials, "s3", region).add_auth(request)
    return {name.lower(): value for name, value in request.headers.items()}


@given(
    url=st.sampled_from([URL, "http://127.0.0.1:9000/lake/x", "https://host:8443/l/%C3%A4=1/~y"]),
    first=st.integers(0, 1 << 40),
    etag=_words,
    extra=st.dictionaries(st.sampled_from(["x-amz-request-payer", "accept-encoding"]), _words),
    keys=st.builds(
        Keys,
        st.just("AKIDEXAMPLE"),
        _words,
        st.none() | _words,
    ),
    region=st.sampled_from(["eu-central-1", "us-east-1"]),
)
def test_the_next_range_is_signed_as_the_sdk_would(
    url: str, first: int, etag: str, extra: dict[str, str], keys: Keys, region: str
) -> None:
    """Whatever the object, the credentials and the other headers."""
    user = {"User-Agent": "test", **extra}
    captured = by_sdk(url, {**user, "Range": "bytes=-9"}, keys, region)
    sent = Sent.of(url, captured, keys.access_key)
    assert sent is not None
    changing = {"range": f"bytes={first}-{first + 9}", "if-match": f'"{etag}"'}
    expected = by_sdk(
        url, {**user, "Range": changing["range"], "If-Match": changing["if-match"]}, keys, region
    )
    assert sign(sent, changing, keys, NOW) == expected


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
    keys = Keys("AKIDEXAMPLE", "secret", None)
    captured = by_sdk(url, {"Range": "bytes=0-9"}, keys, "us-east-1")
    assert Sent.of(url, {**captured, **changed}, access_key) is None
