"""Credentials that come, go and change while the server runs."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from s3_data_lake_mcp.errors import CredentialsExpiredError, LakeError, NoCredentialsError
from s3_data_lake_mcp.settings import Settings
from s3_data_lake_mcp.storage import ObjectRef, ScanMeter
from s3_data_lake_mcp.storage.s3 import S3Store
from support.fault_proxy import FaultProxy
from support.stores import open_store

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

OLD, NEW = "AKIA-OLD", "AKIA-NEW"


class Rotation:
    """A shared credentials file that is rewritten, and an S3 that refuses the old keys."""

    def __init__(self, path: Path, proxy: FaultProxy, ref: ObjectRef, store: S3Store) -> None:
        self.path = path
        self.proxy = proxy
        self.ref = ref
        self.store = store

    def write(self, access_key: str, *, profile: str = "default") -> None:
        """Write the file as a rotation would."""
        self.path.write_text(
            f"[{profile}]\naws_access_key_id = {access_key}\naws_secret_access_key = secret\n"
        )

    def read(self) -> bytes:
        """Read the object."""
        return self.store.get_head(self.ref, 100, ScanMeter(timeout_seconds=10))[1]


@pytest.fixture
def rotation(
    s3: "S3Client",
    bucket: str,
    fault_proxy: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Rotation:
    """Return a store that signs with what a shared credentials file holds."""
    s3.put_object(Bucket=bucket, Key="orders.csv", Body=b"a,b\n1,2\n")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    path = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(path))
    ref = ObjectRef(bucket=bucket, key="orders.csv")
    return Rotation(path, fault_proxy, ref, open_store(Settings()))


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "ExpiredToken"), (403, "InvalidAccessKeyId"), (400, "InvalidToken")],
)
def test_rotated_keys_are_picked_up_without_a_restart(
    rotation: Rotation, status: int, code: str
) -> None:
    """When S3 refuses the old keys the file is read again, and the call succeeds."""
    rotation.write(OLD)
    assert rotation.read() == b"a,b\n1,2\n"
    rotation.write(NEW)
    rotation.proxy.inject("answer", access_key=OLD, status=status, code=code)
    assert rotation.read() == b"a,b\n1,2\n"
    assert [seen.access_key for seen in rotation.proxy.seen] == [OLD, OLD, NEW]


def test_expired_keys_are_told_and_the_next_call_looks_again(rotation: Rotation) -> None:
    """Until they are renewed each call is `credentials_expired`; then it works."""
    rotation.write(OLD)
    rotation.proxy.inject("answer", access_key=OLD, status=400, code="ExpiredToken")
    for _ in range(2):
        with pytest.raises(CredentialsExpiredError) as caught:
            rotation.read()
        assert "without a restart" in caught.value.hint
    rotation.write(NEW)
    assert rotation.read() == b"a,b\n1,2\n"


def test_credentials_that_come_later_are_found(rotation: Rotation) -> None:
    """A server that started without credentials works once there are some."""
    with pytest.raises(NoCredentialsError) as caught:
        rotation.read()
    assert "AWS_PROFILE" in caught.value.hint
    assert rotation.proxy.seen == []
    rotation.write(NEW)
    assert rotation.read() == b"a,b\n1,2\n"


def test_many_threads_survive_one_rotation(rotation: Rotation) -> None:
    """Calls that run side by side while the keys change all succeed."""
    rotation.write(OLD)
    rotation.read()
    rotation.write(NEW)
    rotation.proxy.inject("answer", access_key=OLD, status=400, code="ExpiredToken")
    failures: list[LakeError] = []

    def read() -> None:
        try:
            rotation.read()
        except LakeError as exc:
            failures.append(exc)

    threads = [threading.Thread(target=read) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_an_unknown_profile_is_no_credentials(
    rotation: Rotation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped AWS_PROFILE is told as such; it works once it is there."""
    monkeypatch.setenv("AWS_PROFILE", "late")
    with pytest.raises(NoCredentialsError, match="the profile that AWS_PROFILE names"):
        rotation.read()
    rotation.write(NEW, profile="late")
    assert rotation.read() == b"a,b\n1,2\n"


def test_an_sso_session_that_ended_is_credentials_expired(
    rotation: Rotation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A profile whose sign-in has expired asks to sign in again."""
    config = tmp_path / "config"
    config.write_text(
        "[profile sso]\nsso_session = corp\n"
        f"sso_account_id = {'1234' * 3}\nsso_role_name = r\n"
        "[sso-session corp]\nsso_region = us-east-1\nsso_start_url = https://corp.example/start\n"
        "sso_registration_scopes = sso:account:access\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_PROFILE", "sso")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(CredentialsExpiredError) as caught:
        rotation.read()
    assert "aws sso login" in caught.value.hint


def test_the_server_is_named_to_aws(rotation: Rotation) -> None:
    """The user agent says who asks."""
    rotation.write(NEW)
    rotation.read()
    assert "s3-data-lake-mcp/" in rotation.proxy.seen[-1].headers["user-agent"]
