"""Runs the notify_pr command that the wheel holds: ``python -m notify_pr``."""

import os
import sys


def main() -> int:
    """Becomes the command, so that its exit status and signals are those of this process."""
    name = "notify_pr.exe" if os.name == "nt" else "notify_pr"
    command = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    if not os.path.isfile(command):
        print(
            f"notify_pr: there is no command at {command}: install the wheel, or build the command "
            "with cargo install --path . in a checkout",
            file=sys.stderr,
        )
        return 50
    arguments = [command, *sys.argv[1:]]
    if os.name == "nt":
        # exec on Windows ends this process before the command has ended.
        import subprocess

        return subprocess.call(arguments)
    os.execv(command, arguments)


if __name__ == "__main__":
    sys.exit(main())
