"""Reads the Dockerfile, and runs its steps in a folder that stands for the image."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "Dockerfile"
DOCKERIGNORE = ROOT / ".dockerignore"
BASE_PATH = "/usr/local/bin:/usr/bin:/bin"
_WORD = re.compile(r'(\w+)=("[^"]*"|\S+)')


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction and its arguments, lines joined."""

    instruction: str
    text: str

    @property
    def argv(self) -> list[str]:
        """The arguments of the exec form.

        Raises:
            ValueError: If it is the shell form.
        """
        words: list[str] = json.loads(self.text)
        return words


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stage: its base, its name, and its steps."""

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)

    def last(self, instruction: str) -> Step:
        """Return the last step of a kind."""
        return [step for step in self.steps if step.instruction == instruction][-1]

    def environment(self) -> dict[str, str]:
        """Return what ENV sets, with PATH resolved."""
        found: dict[str, str] = {}
        for step in self.steps:
            if step.instruction == "ENV":
                found |= {name: value.strip('"') for name, value in _WORD.findall(step.text)}
        return {name: value.replace("$PATH", BASE_PATH) for name, value in found.items()}


def stages(path: Path = DOCKERFILE) -> dict[str, Stage]:
    """Return the stages of a Dockerfile by name."""
    found: dict[str, Stage] = {}
    for step in _steps(path.read_text()):
        if step.instruction == "FROM":
            base, _, name = step.text.partition(" AS ")
            current = found[name] = Stage(base=base, name=name)
        elif found:
            current.steps.append(step)
    return found


def _steps(text: str) -> Iterator[Step]:
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    for line in joined.splitlines():
        instruction, _, rest = line.partition(" ")
        yield Step(instruction, rest.strip())


def context(target: Path) -> None:
    """Copy to `target` what the build context holds: tracked files that .dockerignore lets in."""
    lines = [line for line in DOCKERIGNORE.read_text().splitlines() if line and line[0] != "#"]
    if lines[0] != "*":
        message = ".dockerignore must shut everything out first"
        raise ValueError(message)
    admitted = {line[1:] for line in lines if line.startswith("!")}
    for name in tracked():
        if name.split("/")[0] in admitted:
            copy(name, target)


def tracked() -> list[str]:
    """Return the names of the project's files: those that git has, or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


def copy(name: str, target: Path) -> None:
    """Copy one of the project's files to the same place below `target`."""
    (target / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / name, target / name)


class Image:
    """A folder in place of the image: the paths of the Dockerfile lie below it.

    Args:
        root: An empty folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._stages = stages()

    def place(self, text: str) -> str:
        """Return an argument with the image's own folders put below the root."""
        return re.sub(r"/(opt/venv|build|home/lake)\b", rf"{self.root}/\1", text)

    def build(self) -> list[str]:
        """Run the steps of the build stage; return what each did."""
        stage = self._stages["build"]
        source = self.root / "context"
        context(source)
        done: list[str] = []
        where = self.root
        for step in stage.steps:
            if step.instruction == "WORKDIR":
                where = Path(self.place(step.text))
                where.mkdir(parents=True)
            elif step.instruction == "COPY" and not step.text.startswith("--from"):
                *names, target = step.text.split()
                for name in names:
                    _copy(source / name, where / target)
                done.append(f"COPY {step.text}")
            elif step.instruction == "RUN":
                self._run(step.argv, stage, where)
                done.append(f"RUN {' '.join(step.argv)}")
        return done

    def _run(self, argv: list[str], stage: Stage, where: Path) -> None:
        if argv[0] != "uv":
            message = f"the rehearsal cannot run {argv[0]}"
            raise ValueError(message)
        # uv keeps its cache here: the rehearsal need not fetch what the project has.
        own = {k: self.place(v) for k, v in stage.environment().items() if k != "UV_NO_CACHE"}
        outer = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
        pinned = {"UV_PYTHON": "3.12"}
        subprocess.run(argv, cwd=where, env={**outer, **pinned, **own}, check=True)

    def environment(self, **extra: str) -> dict[str, str]:
        """Return the environment of the container's process, and nothing of this machine's."""
        home = Path(self.place("/home/lake"))
        home.mkdir(parents=True, exist_ok=True)
        own = {k: self.place(v) for k, v in self._stages["runtime"].environment().items()}
        return {"HOME": str(home), "LANG": "C.UTF-8", **own, **extra}

    def command(self) -> list[str]:
        """Return the CMD, its program found on the image's PATH."""
        return self._located(self._stages["runtime"].last("CMD").argv)

    def healthcheck(self) -> list[str]:
        """Return the command of the HEALTHCHECK."""
        text = self._stages["runtime"].last("HEALTHCHECK").text
        return self._located(json.loads(text[text.index("CMD ") + 4 :]))

    def _located(self, argv: list[str]) -> list[str]:
        program = Path(self.place("/opt/venv/bin")) / argv[0]
        return [str(program), *argv[1:]]


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
