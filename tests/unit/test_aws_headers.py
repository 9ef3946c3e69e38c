"""Headers of an object say the same as the SDK's own, by names in any case."""

import pytest
from botocore.awsrequest import HeadersDict
from hypothesis import given
from hypothesis import strategies as st

from s3_data_lake_mcp.aws.headers import Headers

_NAMES = ["ETag", "Content-Range", "x-amz-meta-Team", "Expires"]
_headers = st.dictionaries(st.sampled_from(_NAMES), st.text(max_size=5))


@given(headers=_headers)
def test_any_case_finds_a_header(headers: dict[str, str]) -> None:
    """However a name is written, its header is found, or said to be missing."""
    sdk, ours = HeadersDict(headers), Headers(HeadersDict(headers))
    for name in (way(name) for name in _NAMES for way in (str.lower, str.upper, str.title)):
        assert (name in ours) == (name in sdk)
        assert ours.get(name, "-") == sdk.get(name, "-")
        if name in sdk:
            assert ours[name] == sdk[name]
    assert dict(ours.items()) == {name.lower(): value for name, value in sdk.items()}


def test_a_header_is_taken_away_by_any_case() -> None:
    """The SDK takes an `Expires` away that is no date; nothing of it is left."""
    headers = Headers({"expires": "never"})
    del headers["Expires"]
    assert not headers
    with pytest.raises(KeyError):
        headers["expires"]
