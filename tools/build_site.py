"""Build the site strictly from the stored outputs. The old site stays in its place until the new one is whole.

Two builds at once wait for each other. The site is built from nothing: an incremental build forgets index entries.
"""

import shutil
import subprocess
import sys

from set_up import BIN, ROOT, friendly, only_one_at_a_time

SITE = ROOT / "_build"
NEW, OLD = SITE / "new", SITE / "old"


def command(target):
    options = ["-W", "-n", "--keep-going", "--quiet", "--path-output", str(target)]
    return [str(BIN / "jupyter-book"), "build", ".", *options]


def put_in_place(made, site, old):
    """Exchange a folder for a new one in two renames."""
    shutil.rmtree(old, ignore_errors=True)
    if site.exists():
        site.rename(old)
    made.rename(site)
    shutil.rmtree(old, ignore_errors=True)


def main():
    with friendly(), only_one_at_a_time():
        shutil.rmtree(NEW, ignore_errors=True)
        failed = subprocess.run(command(NEW), cwd=ROOT).returncode
        if not failed:
            put_in_place(NEW / "_build" / "html", SITE / "html", OLD)
            shutil.rmtree(NEW)
    sys.exit(failed)


if __name__ == "__main__":
    main()
