"""Rehearses a deployment on a machine without Docker and without AWS.

    uv run deploy/rehearse.py                 all parts
    uv run deploy/rehearse.py image wire      some of them

Parts: `lint` (Dockerfile, templates, workflows), `wheels` (the locked wheels for arm64), `image`
(the Dockerfile's own steps), `wire` (the image's process behind a fake data plane, with real
clients), `toolkit` (the starter toolkit on a mocked AWS), `cli` (the newer CLI, needs Node 20).
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rehearsal import newer_cli, wheels
from rehearsal.dockerfile import ROOT, Image
from rehearsal.telling import check, say

BIN = Path(sys.executable).parent
SCRIPTS = [
    ROOT / "examples" / name
    for name in ("invoke_smoke.py", "fastmcp_signed.py", "strands_signed.py", "strands_stdio.py")
]
BASE_IMAGE_MB = 150
"""A generous guess at python:3.12-slim-trixie, which cannot be fetched without Docker."""


def lint(_: Path) -> None:
    """Each linter finds nothing."""
    say("lint")
    templates = sorted((ROOT / "deploy" / "cloudformation").glob("*.yaml"))
    workflows = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
    for command in (
        ["hadolint", "Dockerfile"],
        ["cfn-lint", *map(str, templates)],
        ["actionlint", *map(str, workflows)],
        ["zizmor", "--offline", "--quiet", "--pedantic", ".github"],
    ):
        name, *rest = command
        done = subprocess.run([str(BIN / name), *rest], cwd=ROOT, check=False)
        check(done.returncode == 0, name)
    policies = ["-m", "pytest", "-q", "--no-header", "tests/deploy/test_policies.py"]
    done = subprocess.run([sys.executable, *policies], cwd=ROOT, check=False)
    check(done.returncode == 0, "the role's policies, on paper and simulated")


def wheel_sizes(folder: Path) -> None:
    """The locked wheels install for the platform, and fit."""
    say(f"wheels for {wheels.PLATFORM}, Python {wheels.PYTHON}")
    target = folder / "wheels"
    wheels.install(target)
    sizes = wheels.measure(target)
    foreign = wheels.foreign(target)
    check(not foreign, "each compiled file is for aarch64")
    check(sizes.zipped < wheels.MOST_ZIPPED_MB, f"{sizes.zipped:.0f} MB zipped, of 250")
    check(sizes.unzipped < wheels.MOST_UNZIPPED_MB, f"{sizes.unzipped:.0f} MB unzipped, of 750")
    for name, size in wheels.heaviest(target):
        print(f"      {size:6.0f} MB  {name}")
    shutil.rmtree(target)


def image(folder: Path) -> None:
    """The build stage's own commands run on what the build context holds."""
    say("image")
    made = Image(folder / "image")
    made.root.mkdir()
    began = time.monotonic()
    for done in made.build():
        check(done != "", done)
    venv = Path(made.place("/opt/venv"))
    size = sum(path.stat().st_size for path in venv.rglob("*") if path.is_file()) / 1e6
    print(f"      {time.monotonic() - began:.0f} s; {size:.0f} MB with byte code, on this machine")
    check(size + BASE_IMAGE_MB < wheels.MOST_IMAGE_MB, "with the base image below 2,000 MB")


def wire(folder: Path) -> None:
    """The image's process and the clients, in a network of their own where that can be had."""
    if not (folder / "image").exists():
        image(folder)
    for script in SCRIPTS:
        _uv("sync", "--quiet", "--frozen", "--script", str(script))
    _uv("tool", "run", "--quiet", "mcp-proxy-for-aws@1.7.0", "--help", quiet=True)
    own = ["unshare", "--net", "--map-root-user"]
    probe = subprocess.run([*own, "true"], capture_output=True, check=False)
    isolated = probe.returncode == 0
    print(f"\nnetwork: {'of its own' if isolated else 'this machine, so that 8000 is open to it'}")
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "deploy")}
    if isolated:
        environment["REHEARSAL_OWN_NETWORK"] = "1"
    command = [*(own if isolated else []), sys.executable, "-m", "rehearsal.wire"]
    done = subprocess.run([*command, str(folder / "image")], env=environment, check=False)
    check(done.returncode == 0, "wire")


def toolkit(_: Path) -> None:
    """The starter toolkit, in its own environment."""
    say("starter toolkit 0.3.14")
    script = ROOT / "deploy" / "rehearsal" / "toolkit.py"
    _uv("run", "--quiet", "--frozen", "--script", str(script))


def cli(folder: Path) -> None:
    """The newer CLI, from npm."""
    say(newer_cli.CLI)
    if not shutil.which("npm"):
        print("  not run: there is no npm")
        return
    home = folder / "cli"
    home.mkdir()
    newer = newer_cli.NewerCli(home)
    runtimes = newer.imported()
    check(len(runtimes) == 5, f"imports {len(runtimes)} agents")
    check(all(r["protocol"] == "MCP" for r in runtimes), "all of them MCP")
    check(all(r["build"] == "Container" for r in runtimes), "all of them containers")
    check(newer.with_own_dockerfile() == "Valid", "valid with the project's Dockerfile")


PARTS: dict[str, Callable[[Path], None]] = {
    "lint": lint,
    "wheels": wheel_sizes,
    "image": image,
    "wire": wire,
    "toolkit": toolkit,
    "cli": cli,
}


def _uv(*arguments: str, quiet: bool = False) -> None:
    # The project's own environment is not that of the scripts.
    environment = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
    output = subprocess.DEVNULL if quiet else None
    command = ["uv", *arguments]
    done = subprocess.run(command, env=environment, stdout=output, check=False, cwd=ROOT)
    check(done.returncode == 0, " ".join(part.replace(f"{ROOT}/", "") for part in command))


def main() -> None:
    """Run the parts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    chosen = parser.parse_args().parts or list(PARTS)
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        for name in chosen:
            PARTS[name](Path(folder))
    print(f"\nrehearsed: {', '.join(chosen)}")


if __name__ == "__main__":
    main()
