"""Ask the public database of vulnerabilities (OSV) about every package in the locks.

The exit code is 0 if none is known, 1 if one is, and 2 if the question could not be answered.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from lock import LOCKS, ROOT, clean_environment

AUDITOR = "pip-audit==2.10.1"
OPTIONS = ["--vulnerability-service", "osv", "--require-hashes", "--disable-pip", "--format", "json"]
OPTIONS += ["--progress-spinner", "off"]


def verdict(answer):
    """The exit code, and what there is to say about an answer of pip-audit."""
    try:
        packages = json.loads(answer)["dependencies"]
    except ValueError:
        return 2, "Not audited: the database of vulnerabilities did not answer."
    known = [f"{p['name']} {p['version']}: {v['id']}" for p in packages for v in p.get("vulns", ())]
    skipped = [p["name"] for p in packages if "skip_reason" in p]
    if known:
        return 1, "Known vulnerabilities:\n" + "\n".join(known)
    if skipped or not packages:
        return 2, f"Not audited: the database says nothing about {', '.join(skipped) or 'any package'}."
    return 0, f"No vulnerability is known in {len(packages)} packages."


def main():
    locks = [part for lock, _ in LOCKS for part in ("--requirement", lock[lock.index("--output-file") + 1])]
    with tempfile.TemporaryDirectory() as tools:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", tools, AUDITOR], check=True)
        command = [sys.executable, "-m", "pip_audit", *OPTIONS, *locks]
        environment = clean_environment() | {"PYTHONPATH": str(Path(tools))}
        run = subprocess.run(
            command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    code, words = verdict(run.stdout)
    print(words)
    sys.exit(code)


if __name__ == "__main__":
    main()
