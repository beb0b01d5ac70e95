"""Renew the locks: one exact version of every package, with its hashes, for every platform and Python 3.11 to 3.14.

    python tools/lock.py              the newest versions that fit
    python tools/lock.py --keep       the versions that are locked, and what is missing

requirements.txt           all that the gate needs
binder/requirements.txt    what the notebooks need, in the same versions; JupyterLab is what the reader has
hub/requirements.txt       that, and what a user of a class's JupyterHub needs
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESOLVER = "uv==0.13.9"
COMMAND = [
    "pip", "compile", "pyproject.toml", "-",
    "--universal", "--python-version", "3.11",
    "--fork-strategy", "fewest",  # one version of a package for all of them wherever one exists
    "--generate-hashes",
    # The lock must not depend on who makes it: no settings of this machine, no address and no path in it.
    "--no-config", "--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "make lock", "--quiet",
]  # fmt: skip
# What is locked, and what is asked for beside pyproject.toml. Binder's own kernel (7.0) forgets between two cells what
# NumPy was told about printing.
LOCKS = [
    (["--extra", "test", "--output-file", "requirements.txt"], ""),
    (
        ["--extra", "visual", "--constraint", "requirements.txt", "--output-file", "binder/requirements.txt"],
        "ipykernel",
    ),
    (
        ["--extra", "visual", "--constraint", "requirements.txt", "--output-file", "hub/requirements.txt"],
        "ipykernel\njupyterhub\njupyterlab\nnbgitpuller\nnbgrader",
    ),
]


def clean_environment():
    """Without variables such as UV_INDEX_URL or UV_CONSTRAINT, which would steer the resolver too."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PYTHONPATH", "PYTHONHOME"))
    }


@contextlib.contextmanager
def resolver():
    """The command that starts the pinned uv, installed for this once."""
    with tempfile.TemporaryDirectory() as tools:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", tools, RESOLVER], check=True)
        yield [str(Path(tools, "bin", "uv"))]


def main():
    command = COMMAND + ([] if "--keep" in sys.argv[1:] else ["--upgrade"])
    with resolver() as uv:
        for lock, more in LOCKS:
            subprocess.run(
                [*uv, *command, *lock],
                cwd=ROOT, env=clean_environment(), input=more, text=True, check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip


if __name__ == "__main__":
    main()
