"""Puts libnotify_pr and the notify_pr command into the wheel.

They are built with cargo from the checkout that this folder belongs to. Variables change
that:

NOTIFY_PR_BUILD_LIBRARY, NOTIFY_PR_BUILD_COMMAND
    Files to take instead. Both or none; nothing is built then.
NOTIFY_PR_BUILD_PLATFORM
    The platform tag of the wheel, such as manylinux_2_17_x86_64, where the library was built for
    older systems than this one.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any, Dict, Tuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

COMMAND = "notify_pr.exe" if os.name == "nt" else "notify_pr"
LIBRARY = {"win32": "notify_pr.dll", "darwin": "libnotify_pr.dylib"}.get(
    sys.platform, "libnotify_pr.so"
)


class BuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """What hatchling calls."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: Dict[str, Any]) -> None:
        """Adds both files. The wheel needs no certain Python, but this platform."""
        library, command = given() or built(Path(self.root).parent.parent)
        platform = os.environ.get("NOTIFY_PR_BUILD_PLATFORM") or sysconfig.get_platform()
        tag = platform.replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{tag}"
        build_data["force_include"][str(library)] = f"notify_pr/{LIBRARY}"
        build_data["force_include"][str(command)] = f"notify_pr/{COMMAND}"


def given() -> "Tuple[Path, Path] | None":
    """The files that variables name."""
    names = ("NOTIFY_PR_BUILD_LIBRARY", "NOTIFY_PR_BUILD_COMMAND")
    values = [os.environ.get(name) for name in names]
    if not any(values):
        return None
    for name, value in zip(names, values):
        if not value or not Path(value).is_file():
            sys.exit(f"{name} has to name a file, as {names[0]} and {names[1]} go together")
    library, command = (Path(value or "").resolve() for value in values)
    return library, command


def built(root: Path) -> Tuple[Path, Path]:
    """Builds the files."""
    if not (root / "Cargo.toml").is_file():
        sys.exit(
            "notify_pr is built from a checkout of the whole project: "
            "run pip install ./bindings/python there, or install a wheel"
        )
    if not shutil.which("cargo"):
        sys.exit("notify_pr is built with cargo, which is not installed: see https://rustup.rs")
    # The library is loaded into other programs, so Cargo.toml has a profile that makes it small.
    small = ("--profile", "library", "--no-default-features", "--crate-type", "cdylib")
    library = cargo(root, LIBRARY, "rustc", "--lib", *small)
    return library, cargo(root, COMMAND, "build", "--bin", "notify_pr", "--release")


def cargo(root: Path, name: str, task: str, *arguments: str) -> Path:
    """Lets cargo build the file of this name, and says where it is."""
    command = ["cargo", task, "--locked", "--package", "notify_pr", *arguments]
    command += ["--message-format", "json-render-diagnostics"]
    messages = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, check=True).stdout
    for line in messages.splitlines():
        message = json.loads(line)
        if message["reason"] == "compiler-artifact":
            for file in map(Path, message["filenames"]):
                if file.name == name:
                    return file
    sys.exit(f"{' '.join(command)} did not say where it left {name}")
