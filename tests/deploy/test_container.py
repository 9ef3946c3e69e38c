"""The container: the Dockerfile keeps to the rules, the context is small, the wheels fit."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from packaging.markers import Marker
from packaging.tags import compatible_tags, cpython_tags
from packaging.utils import parse_wheel_filename

from rehearsal.dockerfile import ROOT, context, stages
from rehearsal.wheels import MOST_ZIPPED_MB

# What the starter toolkit keeps from its build: its own dockerignore.template.
TOOLKIT_LEAVES_OUT = (
    "docs",
    "tests",
    ".github",
    ".dockerignore",
    ".bedrock_agentcore.yaml",
    ".git",
)


def test_hadolint_finds_nothing() -> None:
    """The linter of Dockerfiles has no complaint, and none is switched off."""
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run(
        [linter, ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "hadolint ignore" not in (ROOT / "Dockerfile").read_text()


def test_no_shell_runs_and_nothing_runs_as_root() -> None:
    """Each command is in the exec form; the process that serves is an ordinary user's."""
    for stage in stages().values():
        for step in stage.steps:
            if step.instruction in {"RUN", "CMD"}:
                assert step.argv
    runtime = stages()["runtime"]
    assert runtime.last("USER").text == "1000:1000"
    assert runtime.last("CMD").argv[:2] == ["opentelemetry-instrument", "s3-data-lake-mcp"]
    assert runtime.last("CMD").argv[-4:] == ["--host", "0.0.0.0", "--port", "8000"]  # noqa: S104 - the container's own
    assert runtime.last("EXPOSE").text == "8000"


def test_bases_are_pinned() -> None:
    """By a tag that says which Python, which Debian, which uv."""
    bases = [stage.base for stage in stages().values()]
    assert [base.rpartition(":")[2] for base in bases] == [
        "0.13.9",
        "${PYTHON_VERSION}-slim-trixie",
        "${PYTHON_VERSION}-slim-trixie",
    ]


def test_message_contents_stay_out_of_traces() -> None:
    """The AWS distribution would record arguments and results by default."""
    environment = stages()["runtime"].environment()
    assert environment["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] == "false"


def test_the_labels_say_what_it_is() -> None:
    """Title, licence, version and revision, in OCI's words; the version is the project's."""
    runtime = stages()["runtime"]
    label = runtime.last("LABEL").text
    for name in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{name}=" in label
    with (ROOT / "pyproject.toml").open("rb") as file:
        version = tomllib.load(file)["project"]["version"]
    arguments = [step.text for step in runtime.steps if step.instruction == "ARG"]
    assert f"VERSION={version}" in arguments


def test_the_context_holds_what_is_copied_and_nothing_else(tmp_path: Path) -> None:
    """No tests, no settings, no history; the toolkit's own exclusions take nothing away."""
    context(tmp_path)
    present = {path.name for path in tmp_path.iterdir()}
    assert present == {"pyproject.toml", "uv.lock", "README.md", "LICENSE", "src"}
    assert not present & set(TOOLKIT_LEAVES_OUT)
    copies = [s.text.split()[:-1] for s in stages()["build"].steps if s.instruction == "COPY"]
    names = {name for words in copies for name in words if not name.startswith(("--", "/"))}
    assert names == present


ENVIRONMENT = {
    "implementation_name": "cpython",
    "implementation_version": "3.12.0",
    "os_name": "posix",
    "platform_machine": "aarch64",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": "3.12.0",
    "python_version": "3.12",
    "sys_platform": "linux",
}


def _closure(packages: dict[str, dict[str, Any]]) -> set[str]:
    """Return the names of what the image installs, by following the lock."""
    found: set[str] = set()
    waiting = [("s3-data-lake-mcp", ("otel",))]
    seen: set[tuple[str, tuple[str, ...]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        found.add(name)
        package = packages[name]
        optional = package.get("optional-dependencies", {})
        needs = [*package.get("dependencies", []), *(n for e in extras for n in optional[e])]
        waiting.extend(
            (need["name"], tuple(need.get("extra", ())))
            for need in needs
            if "marker" not in need or Marker(need["marker"]).evaluate(ENVIRONMENT)
        )
    return found - {"s3-data-lake-mcp"}


def test_each_locked_package_has_a_wheel_for_the_platform() -> None:
    """Linux on arm64 with glibc 2.28: no compiler is needed, and a zip would fit too."""
    with (ROOT / "uv.lock").open("rb") as file:
        packages = {package["name"]: package for package in tomllib.load(file)["package"]}
    platforms = [f"manylinux_2_{minor}_aarch64" for minor in range(28, 16, -1)]
    platforms += ["manylinux2014_aarch64"]
    fitting = {
        *cpython_tags((3, 12), platforms=platforms),
        *compatible_tags((3, 12), "cp312", platforms),
    }
    names = _closure(packages)
    assert {"duckdb", "pyarrow", "aws-opentelemetry-distro"} <= names
    total, missing = 0, []
    for name in sorted(names):
        wheels = {wheel["url"].rpartition("/")[2]: wheel for wheel in packages[name]["wheels"]}
        sizes = [w["size"] for n, w in wheels.items() if parse_wheel_filename(n)[3] & fitting]
        total += max(sizes, default=0)
        if not sizes:
            missing.append(name)
    assert missing == []
    assert total < MOST_ZIPPED_MB * 1e6


def test_only_the_server_is_instrumented(tmp_path: Path) -> None:
    """Workers would each load OpenTelemetry again, and fork its exporters and their threads."""
    folder = tmp_path / "opentelemetry" / "instrumentation" / "auto_instrumentation"
    folder.mkdir(parents=True)
    log = tmp_path / "instrumented"
    (folder / "sitecustomize.py").write_text(
        f"import os\nopen({str(log)!r}, 'a').write(f'{{os.getpid()}}\\n')\n"
    )
    code = (
        "from s3_data_lake_mcp.lake import Lake\n"
        "from s3_data_lake_mcp.settings import Settings\n"
        "lake = Lake.connect(Settings(workers=1))\n"
        "lake.workers.warm()\n"
        "lake.close()\n"
    )
    environment = {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{tmp_path}"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=50)
    assert len(log.read_text().split()) == 1
