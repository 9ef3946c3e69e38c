"""What the image installs, for the platform that it runs on: the wheels of uv.lock, and sizes."""

import os
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rehearsal.dockerfile import ROOT

PLATFORM = "aarch64-manylinux_2_28"
PYTHON = "3.12"
MOST_ZIPPED_MB = 250
MOST_UNZIPPED_MB = 750
MOST_IMAGE_MB = 2000
"""AgentCore's limits: the first two for direct code deployment, the third for an image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Sizes of what is installed, in MB."""

    unzipped: float
    zipped: float


def install(target: Path) -> None:
    """Install the locked wheels for the platform into a folder, whatever machine this is.

    Raises:
        CalledProcessError: If one of them has no wheel for it.
    """
    locked = target.parent / "locked.txt"
    export = ["uv", "export", "--quiet", "--frozen", "--no-dev", "--extra", "otel"]
    form = ["--no-emit-project", "--no-hashes", "--output-file", str(locked)]
    subprocess.run([*export, *form], cwd=ROOT, check=True)
    command = ["uv", "pip", "install", "--quiet", "--no-deps", "--requirements", str(locked)]
    platform = ["--python-version", PYTHON, "--python-platform", PLATFORM]
    where = ["--only-binary", ":all:", "--target", str(target)]
    subprocess.run([*command, *platform, *where], cwd=ROOT, check=True)


def measure(folder: Path) -> Sizes:
    """Return what a folder measures, as it is and zipped, without byte code."""
    with tempfile.TemporaryFile() as file:
        unzipped = 0
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in _files(folder):
                unzipped += path.stat().st_size
                archive.write(path, path.relative_to(folder))
        zipped = file.seek(0, os.SEEK_END)
    return Sizes(unzipped=unzipped / 1e6, zipped=zipped / 1e6)


def heaviest(folder: Path, count: int = 6) -> list[tuple[str, float]]:
    """Return the largest packages in MB."""
    sizes: dict[str, int] = {}
    for path in _files(folder):
        name = path.relative_to(folder).parts[0]
        sizes[name] = sizes.get(name, 0) + path.stat().st_size
    ranked = sorted(sizes.items(), key=lambda item: -item[1])
    return [(name, size / 1e6) for name, size in ranked[:count]]


def foreign(folder: Path) -> list[str]:
    """Return compiled files that are for another machine: ELF says which."""
    aarch64 = 183
    found = []
    for path in _files(folder):
        if ".so" not in path.suffixes:
            continue
        head = path.read_bytes()[:20]
        if head[:4] == b"\x7fELF" and int.from_bytes(head[18:20], "little") != aarch64:
            found.append(str(path.relative_to(folder)))
    return found


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path
