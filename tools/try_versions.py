"""Run the unit tests and the notebooks with the oldest and the newest packages that pyproject.toml admits.

    python tools/try_versions.py                               every Python from 3.11 to 3.14 that is found here
    python tools/try_versions.py --python 3.12 --with oldest   one of them

Tried are NumPy, Matplotlib and IPython; everything else stays as it is locked. "Oldest" is the oldest that is there as
a wheel for that Python. The environments are made in build/versions, apart from the one in .venv.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from lock import ROOT, clean_environment, resolver
from set_up import NBVAL

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
TRIED = ["numpy", "matplotlib", "ipython"]
RESOLUTION = {"oldest": "lowest", "newest": "highest"}
# What looks at the site or at the lock itself, or needs a browser.
LEFT_OUT = [
    "live",
    "controls",
    "pyodide",
    "lab",
    "search",
    "slim",
    "predict",
    "editor",
    "accessible",
    "narrow",
    "paper",
    "offline",
    "site",
]
NOT_LOCKED = [
    "tests/test_project.py::test_the_environment_is_the_locked_one",
    "tests/test_project.py::test_what_binder_installs_is_complete_and_enough_for_every_notebook",
]


def admitted():
    """What the metadata say about the packages that are tried: {name: requirement}"""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = project["dependencies"] + sum(project["optional-dependencies"].values(), [])
    return {name: next(r for r in listed if re.match(rf"{name}\b", r)) for name in TRIED}


def fixed(which, python, uv):
    """The versions to install: the three as they are tried, the rest as locked unless the three forbid it."""
    command = [*uv, "pip", "compile", "-", "--no-config", "--quiet", "--no-annotate", "--no-header"]
    command += ["--python-version", python, "--only-binary", ":all:", "--resolution"]
    three = run(command + [RESOLUTION[which]], input="\n".join(admitted().values()))
    three = [line for line in three.splitlines() if re.split("==", line)[0] in TRIED]
    locked = re.findall(
        r"^([\w.-]+)==([^\s;\\]+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    return three + [f"{name}=={version}" for name, version in locked if name not in TRIED]


def run(command, **options):
    return subprocess.run(
        command, cwd=ROOT, env=clean_environment(), check=True, text=True, stdout=subprocess.PIPE, **options
    ).stdout


def trial(python, which, jobs, uv):
    """Whether all is well with this Python and these versions."""
    folder = ROOT / "build" / "versions" / f"{python}-{which}"
    program = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    versions = fixed(which, python, uv)
    print(f"Python {python}, {which}: {', '.join(versions[:3])}", flush=True)
    run([*uv, "venv", "--quiet", "--clear", "--no-config", "--python", python, str(folder)])
    with tempfile.TemporaryDirectory() as place:
        pinned = Path(place, "pinned.txt")
        pinned.write_text("\n".join(versions))
        install = [*uv, "pip", "install", "--quiet", "--no-config", "--python", str(program)]
        run([*install, "--constraint", str(pinned), "pip", "setuptools", "--editable", ".[test]"])
    environment = clean_environment() | {
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    environment.pop("MPLBACKEND", None)
    pytest = [str(program), "-m", "pytest", "--quiet", "--numprocesses", str(jobs), "-p", "no:cacheprovider"]
    left_out = [f"--ignore=tests/test_{name}.py" for name in LEFT_OUT] + [f"--deselect={name}" for name in NOT_LOCKED]
    nbval = [*NBVAL, "--dist", "loadscope", "notebooks"]
    subprocess.run([str(program), "-c", "import matplotlib.font_manager"], env=environment, check=True)
    results = [subprocess.run(pytest + more, cwd=ROOT, env=environment).returncode for more in (left_out, nbval)]
    return results == [0, 0]


def found(python, uv):
    command = [*uv, "python", "find", "--no-config", "--no-project", "--quiet", python]
    return subprocess.run(command, env=clean_environment(), capture_output=True).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", choices=PYTHONS, help="this one only; it has to be there, or uv fetches it")
    parser.add_argument("--with", dest="which", choices=RESOLUTION, help="these versions only")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    with resolver() as uv:
        pythons = [arguments.python] if arguments.python else [p for p in PYTHONS if found(p, uv)]
        trials = {
            (p, w): trial(p, w, arguments.jobs, uv) for p in pythons for w in RESOLUTION if arguments.which in (None, w)
        }
    for (python, which), passed in trials.items():
        print(f"Python {python}, {which}: {'passed' if passed else 'FAILED'}")
    missing = [] if arguments.python else sorted(set(PYTHONS) - set(pythons))
    print(f"Not found here, so not tried: {', '.join(missing)}" if missing else "", end="\n" * bool(missing))
    sys.exit(not all(trials.values()) or not trials)


if __name__ == "__main__":
    main()
