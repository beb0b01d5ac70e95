"""Make the virtual environment `.venv`: the locked packages and this project, editable.

Every make target calls this first. It returns at once when the environment is already the right one; otherwise it makes
a new one. Two targets that start together wait for each other, and an interrupted run is begun again.
"""

import ast
import contextlib
import hashlib
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "ready.txt"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
OLDEST_PYTHON = (3, 11)
# How notebooks are compared with a fresh run, as in the Makefile.
NBVAL = ["--nbval", "--nbval-current-env", "--nbval-sanitize-with", "tools/nbval.cfg", "-p", "tools.nbval_figures"]
# The settings of pip that say how packages are reached. Others of the user's, such as `user` or `target`, would send
# them somewhere else, or change what is installed.
HOW_PACKAGES_ARE_REACHED = {
    "index-url", "extra-index-url", "no-index", "find-links", "trusted-host", "proxy", "cert", "client-cert",
    "keyring-provider", "default-timeout", "timeout", "retries", "cache-dir", "no-cache-dir",
}  # fmt: skip
NO_NETWORK = re.compile(
    "NewConnectionError|NameResolution|ConnectTimeout|ReadTimeout|ProxyError|SSLError|connection broken"
    "|from versions: none"
)


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


@contextlib.contextmanager
def friendly():
    """What may happen to anybody is said in one line, without a traceback."""
    try:
        yield
    except KeyboardInterrupt:
        sys.exit("Interrupted. Run the command again: it begins this step anew.")
    except OSError as error:
        sys.exit(
            f"Cannot write to {error.filename or ROOT} ({error.strerror}). The book needs a folder that you can write "
            "to: copy all of it to one, and run the command there."
        )


def is_ready():
    return STAMP.exists() and STAMP.read_text() == fingerprint()


def pip_environment(configuration):
    """The environment for pip: of its settings, as `pip config list` prints them, only how packages are reached."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment |= {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for line in sorted(configuration.splitlines(), key=lambda line: line.startswith(":env:")):
        name, value = line.split("=", 1)
        name = name.rpartition(".")[2].replace("_", "-")
        if name in HOW_PACKAGES_ARE_REACHED:
            environment[f"PIP_{name.upper().replace('-', '_')}"] = ast.literal_eval(value)
    return environment


def python(*command, environment=None):
    """What this Python of the environment prints; where it fails, say why and stop."""
    command = [str(BIN / "python"), *command]
    done = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True)
    if done.returncode:
        said = done.stderr + done.stdout
        hint = ""
        if NO_NETWORK.search(said):
            hint = (
                "The packages cannot be fetched: is there a network? Behind a proxy, set HTTPS_PROXY; for an index of "
                "your own, PIP_INDEX_URL. Then run the command again."
            )
        sys.exit(hint or f"{said.rstrip()}\nThe set-up has failed at: {' '.join(command)}")
    return done.stdout


def set_up():
    print(f"Setting up {VENV.name} (once; about a minute) ...", flush=True)
    venv.create(VENV, clear=True, with_pip=True)
    environment = pip_environment(python("-m", "pip", "config", "list"))
    pip = ["-m", "pip"]
    # The lock names every package with its hashes, so nothing is resolved here, and nothing else is taken for it.
    # The project itself has no hash, so it comes in a second step; `pip check` then proves the lock complete.
    lock = ["--no-deps", "--require-hashes", "--requirement", "requirements.txt"]
    quick = ["--quiet", "--no-compile"]  # each module is compiled when it is first used; most never are
    python(*pip, "install", *quick, *lock, environment=environment)
    here = ["--no-deps", "--no-build-isolation", "--editable", "."]
    python(*pip, "install", "--quiet", *here, environment=environment)
    python(*pip, "check", environment=environment)
    # Matplotlib lists the fonts on its first import, and a slow listing would print into the first notebook.
    python("-c", "import matplotlib.font_manager")
    STAMP.write_text(fingerprint())


def main():
    if sys.version_info < OLDEST_PYTHON:
        wanted, found = (".".join(map(str, v[:2])) for v in (OLDEST_PYTHON, sys.version_info))
        sys.exit(f"Python {wanted} or newer is needed, this is {found}. Name another one: make PYTHON=python3.12 ...")
    with friendly(), only_one_at_a_time():
        if not is_ready():
            set_up()


if __name__ == "__main__":
    main()
