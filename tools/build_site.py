"""Build the site strictly from the stored outputs. The old site stays in its place until the new one is whole.

Two builds at once wait for each other. The site is built from nothing: an incremental build forgets index entries. Only
if no file has changed, neither of those that it is made of nor of its own, it is left as it is.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from set_up import BIN, ROOT, friendly, only_one_at_a_time

SITE = ROOT / "_build"
NEW, OLD, STAMP = SITE / "new", SITE / "old", SITE / "made-of.txt"
# What other commands make, beside what is hidden; and the variables that say where the book is published.
NO_INPUT = {"_build", "build", "dist", "course", "my-notebooks", "__pycache__"}
WHERE = "BOOK_ADDRESS", "BOOK_REPOSITORY", "BOOK_BRANCH", "GITHUB_REF", "GITHUB_REPOSITORY", "GITHUB_SERVER_URL"


def files(folder):
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in NO_INPUT)
        yield from (Path(place, name) for name in sorted(names) if not name.startswith("."))


def made_of():
    """A digest of all that the site is made of."""
    digest = hashlib.sha256(repr([sys.version, *map(os.environ.get, WHERE)]).encode())
    for path in files(ROOT):
        digest.update(f"{path.relative_to(ROOT)} {path.stat().st_size} ".encode() + path.read_bytes())
    return digest.hexdigest()


def stamp(inputs):
    """The same with that of the files which the site has now: somebody may have changed one of them."""
    looks = [
        (str(path.relative_to(SITE)), path.stat().st_size, path.stat().st_mtime_ns) for path in files(SITE / "html")
    ]
    return f"{inputs} {hashlib.sha256(repr(looks).encode()).hexdigest()}"


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
        inputs = made_of()  # as they are now: one may change while the site is built
        if STAMP.exists() and STAMP.read_text() == stamp(inputs):
            print("Nothing has changed since the site was built.")
            sys.exit(0)
        shutil.rmtree(NEW, ignore_errors=True)
        failed = subprocess.run(command(NEW), cwd=ROOT).returncode
        if not failed:
            put_in_place(NEW / "_build" / "html", SITE / "html", OLD)
            shutil.rmtree(NEW)
            STAMP.write_text(stamp(inputs))
    sys.exit(failed)


if __name__ == "__main__":
    main()
