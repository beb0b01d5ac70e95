"""Make the virtual environment `.venv`: the locked packages and this project, editable.

Every make target calls this first. It returns at once when the environment is already the right one; otherwise it makes
a new one. Two targets that start together wait for each other, and an interrupted run is begun again.
"""

import contextlib
import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "ready.txt"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
OLDEST_PYTHON = (3, 11)


def fingerprint():
    """What the environment depends on: this Python, this place, and the two files that say what to install."""
    what_to_install = [(ROOT / name).read_text() for name in ("pyproject.toml", "requirements.txt")]
    return hashlib.sha256("\n".join([sys.version, str(VENV), *what_to_install]).encode()).hexdigest()


@contextlib.contextmanager
def only_one_at_a_time():
    """Hold a lock that the system gives back even if this process is killed."""
    if os.name == "nt":  # no fcntl there; nor is make, so nothing calls this twice at a time
        yield
        return
    import fcntl

    with open(ROOT / ".venv.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_ready():
    return STAMP.exists() and STAMP.read_text() == fingerprint()


def run(*command):
    subprocess.run([str(BIN / "python"), *command], cwd=ROOT, check=True)


def set_up():
    print(f"Setting up {VENV.name} (once; about a minute) ...", flush=True)
    venv.create(VENV, clear=True, with_pip=True)
    pip = ["-m", "pip", "--disable-pip-version-check"]
    # The lock names every package, so nothing is resolved here; `pip check` then proves it complete.
    run(*pip, "install", "--quiet", "--no-deps", "--requirement", "requirements.txt")
    run(*pip, "install", "--quiet", "--no-deps", "--editable", ".")
    run(*pip, "check")
    # Matplotlib lists the fonts on its first import, and a slow listing would print into the first notebook.
    run("-c", "import matplotlib.font_manager")
    STAMP.write_text(fingerprint())


def main():
    if sys.version_info < OLDEST_PYTHON:
        wanted, found = (".".join(map(str, v[:2])) for v in (OLDEST_PYTHON, sys.version_info))
        sys.exit(f"Python {wanted} or newer is needed, this is {found}. Name another one: make PYTHON=python3.12 ...")
    with only_one_at_a_time():
        if not is_ready():
            set_up()


if __name__ == "__main__":
    main()
