"""A folder with a spec whose models are behind the testing server, and the command line at work in it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from distillc.testing.server import Served

KEY = "sk-never-to-be-seen-0123456789"


@dataclass(frozen=True)
class APlace:
    """Specs name the key as `${env:TEACHER_KEY}`."""

    folder: Path
    server: Served

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "distillc.cli.main", *arguments]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "DISTILLC_STORE": str(self.folder / "store"), "TEACHER_KEY": KEY}

    def distillc(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )  # fmt: skip

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """In a process group of its own, which may be killed as a whole."""
        return subprocess.Popen(
            self.command(*arguments), cwd=self.folder, env=self.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
