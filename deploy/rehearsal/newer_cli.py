"""Imports `.bedrock_agentcore.yaml` with the newer CLI, `@aws/agentcore`, and validates the result.

Its own dependencies are pinned to versions that not every registry has; the bundle needs only one.
"""

import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from rehearsal.dockerfile import ROOT

CLI = "@aws/agentcore@0.30.0"
NEEDED = "@aws-cdk/toolkit-lib@1.28.0"
PROJECT = "S3DataLake"
DOCUMENT = ROOT / "docs" / "deploy" / "agentcore.md"


class NewerCli:
    """The CLI, installed in a folder of its own.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._environment = {
            **os.environ,
            "HOME": str(folder),
            "CI": "1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": "us-east-1",
        }
        (folder / "package.json").write_text('{"private": true}')
        npm = shutil.which("npm") or "npm"
        self._run([npm, "install", "--silent", "--no-audit", "--no-fund", NEEDED])
        packed = self._run([npm, "pack", "--silent", CLI]).strip().splitlines()[-1]
        with tarfile.open(folder / packed) as archive:
            archive.extractall(folder, filter="data")
        self("config", "telemetry.enabled", "false")

    def __call__(self, *arguments: str) -> str:
        """Run a command of the CLI, in the project if there is one."""
        node = shutil.which("node") or "node"
        bundle = self.folder / "package" / "dist" / "cli" / "index.mjs"
        return self._run([node, str(bundle), *arguments])

    def _run(self, command: list[str]) -> str:
        project = self.folder / PROJECT
        return subprocess.run(
            command,
            cwd=project if project.exists() else self.folder,
            env=self._environment,
            check=True,
            text=True,
            stdout=subprocess.PIPE,
            timeout=400,
        ).stdout

    def imported(self) -> list[dict[str, Any]]:
        """Import the configuration into a new project and return its runtimes."""
        self("create", "--project-name", PROJECT, "--no-agent", "--skip-install", "--skip-git")
        self("import", "--source", str(ROOT / ".bedrock_agentcore.yaml"), "--yes")
        runtimes: list[dict[str, Any]] = self._configuration()["runtimes"]
        return runtimes

    def with_own_dockerfile(self) -> str:
        """Point each runtime at the clone's root, as the document says, and validate that."""
        shutil.copy(ROOT / "Dockerfile", self.folder / "Dockerfile")
        blocks = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
        added, targets = map(json.loads, blocks)
        configuration = self._configuration()
        for runtime in configuration["runtimes"]:
            runtime.update(added)
        self._path.write_text(json.dumps(configuration, indent=2))
        account = "1234" * 3
        path = self._path.with_name("aws-targets.json")
        path.write_text(json.dumps(targets).replace("ACCOUNT", account))
        return self("validate").strip()

    @property
    def _path(self) -> Path:
        return self.folder / PROJECT / "agentcore" / "agentcore.json"

    def _configuration(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self._path.read_text())
        return read
