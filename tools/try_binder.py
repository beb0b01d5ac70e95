"""Install what Binder installs, from its own files alone, and run every notebook there.

    python tools/try_binder.py

The environment is made in build/binder, apart from the one in .venv, by the Python that runs this: Binder's own is
named in binder/runtime.txt. From .venv comes only what compares: nbval, with a kernel of the other environment.
"""

import json
import os
import shlex
import subprocess
import sys

from set_up import BIN, ROOT

FOLDER = ROOT / "build" / "binder"
PYTHON = FOLDER / "bin" / "python"


def steps():
    """The commands of binder/postBuild, without the copies for readers: what runs are the notebooks of the book."""
    lines = (ROOT / "binder" / "postBuild").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith(("#", "set "))]
    return [shlex.split(line) for line in commands if "own_copy.py" not in line]


def main():
    run = {"cwd": ROOT, "check": True}
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], **run)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--require-hashes", "--no-deps", "--requirement", "binder/requirements.txt"], **run)
    here = os.environ | {"PATH": f"{FOLDER / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    for command in steps():
        subprocess.run(command, env=here, **run)
    kernel = FOLDER / "share" / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True, exist_ok=True)
    launch = [str(PYTHON), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": launch, "display_name": "Binder", "language": "python"}))
    environment = here | {"JUPYTER_PATH": str(FOLDER / "share" / "jupyter")}
    environment.pop("MPLBACKEND", None)
    nbval = [str(BIN / "python"), "-m", "pytest", "--nbval", "--nbval-sanitize-with", "tools/nbval.cfg"]
    parallel = ["--numprocesses", "2", "--dist", "loadscope"]
    sys.exit(subprocess.run([*nbval, *parallel, "notebooks"], cwd=ROOT, env=environment).returncode)


if __name__ == "__main__":
    main()
