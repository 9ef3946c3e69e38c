"""No account, key or token stands anywhere in the repository.

Samples are put together here from pieces, so that this file does not hold what it looks for.
"""

import re

import pytest

from support.pages import ROOT, tracked_files

PATTERNS = {
    "a number of 12 digits, as account ids are": (
        # Neither a fraction nor a round count, nor part of a digest or the end of a UUID.
        r"(?<![0-9A-Fa-f])(?<!\d\.)(?<!-[0-9a-f]{4}-)(?!\d0{11})\d{12}(?![0-9A-Fa-f])"
    ),
    "an account id as the console shows it": (
        r"(?<![0-9A-Za-z-])\d{4}-\d{4}-\d{4}(?![0-9A-Za-z-])"
    ),
    "an ARN with an account": r"arn:aws[\w-]*:[\w-]+:[\w-]*:\d{12}\b",
    "an access key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a secret key": r"(?i)secret_?access_?key\W{1,5}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])",
    "a session token": r"\b(?:FwoGZX|IQoJb3)[A-Za-z0-9/+]{30,}",
    "a signed URL": r"X-Amz-Signature=[0-9a-f]{64}",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a token of GitHub": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60,})\b",
    "a token of a registry": r"\b(?:pypi-AgE|npm_)[A-Za-z0-9_-]{30,}",
    "a token of a model's service": r"\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{32,}",
    "a signed web token": r"\beyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{20,}",
}
ACCOUNT = "1234" * 3
SAMPLES = {
    "a number of 12 digits, as account ids are": f"account: {ACCOUNT}, lake-{ACCOUNT}-eu",
    "an account id as the console shows it": "account " + "-".join(["1234"] * 3),
    "an ARN with an account": f"arn:aws-us-gov:iam::{ACCOUNT}:role/x",
    "an access key": "AKIA" + "Q7" * 8,
    "a secret key": "aws_secret_access_key = " + "aB3/" * 10,
    "a session token": "FwoGZX" + "aB3/" * 10,
    "a signed URL": "?X-Amz-" + "Signature=" + "0f" * 32,
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "a token of GitHub": "ghp" + "_" + "aB3" * 12,
    "a token of a registry": "pypi-" + "AgE" + "aB3" * 12,
    "a token of a model's service": "sk-" + "ant-" + "aB3" * 12,
    "a signed web token": "eyJ" + "aB3" * 6 + ".eyJ" + "aB3" * 6 + "." + "aB3" * 8,
}


@pytest.mark.parametrize("name", list(PATTERNS))
def test_the_repository_is_without(name: str) -> None:
    """Tracked files, locks too, and those that are about to be."""
    pattern = re.compile(PATTERNS[name])
    found = [
        f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, hit.start()) + 1}"
        for path in tracked_files()
        for text in [path.read_bytes().decode("utf-8", "replace")]
        for hit in pattern.finditer(text)
    ]
    assert found == [], f"{name}: {found}"


@pytest.mark.parametrize("name", list(PATTERNS))
def test_the_pattern_would_find_one(name: str) -> None:
    """Each pattern matches a sample of what it is for."""
    assert re.search(PATTERNS[name], SAMPLES[name])


@pytest.mark.parametrize("text", [f"lake.{ACCOUNT}", f"s3://{ACCOUNT}_x", f"acct{ACCOUNT}"])
def test_an_account_in_a_name_is_found(text: str) -> None:
    """Buckets, hosts and roles have it in their names."""
    assert re.search(PATTERNS["a number of 12 digits, as account ids are"], text)


def test_numbers_that_are_no_accounts_pass() -> None:
    """Digits of a longer number, of a fraction, or within a digest."""
    pattern = PATTERNS["a number of 12 digits, as account ids are"]
    uuid = f"00000000-0000-4000-8000-{ACCOUNT}"
    for text in (ACCOUNT + "5", f"0.{ACCOUNT}", f"a{ACCOUNT}f", uuid):
        assert not re.search(pattern, text)
