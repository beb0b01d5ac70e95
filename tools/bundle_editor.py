"""Make the editor that the pages load at the first Edit: CodeMirror, in one file, with its licences.

    make editor

Only this needs Node, and the network. What goes in stands in tools/editor: the packages in package.json, with their
exact versions and checksums in package-lock.json, and the names that are used of them in codemirror.mjs. For newer
ones change package.json, and run `npm install --package-lock-only --omit-lockfile-registry-resolved` in that folder.
"""

import gzip
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parent / "editor"
TARGET = SOURCE.parents[1] / "book" / "assets" / "live" / "codemirror"
BUNDLE, LICENCES = TARGET / "codemirror.min.js", TARGET / "LICENSE"


def bundled(folder):
    """The packages that the bundle holds, by the list of its parts that esbuild has written."""
    (made,) = json.loads((folder / "parts.json").read_text(encoding="utf-8"))["outputs"].values()
    used = [path for path, part in made["inputs"].items() if part["bytesInOutput"]]
    names = [path.removeprefix("node_modules/").split("/") for path in used if path.startswith("node_modules/")]
    return sorted({"/".join(name[: 1 + name[0].startswith("@")]) for name in names})


def with_version(folder, name):
    package = folder / "node_modules" / name
    return f"{name} {json.loads((package / 'package.json').read_text(encoding='utf-8'))['version']}"


def licences(folder, names):
    """The text of each licence once, below the packages that it is of."""
    packages = {}
    for name in names:
        text = (folder / "node_modules" / name / "LICENSE").read_text(encoding="utf-8").strip()
        packages.setdefault(text, []).append(with_version(folder, name))
    return "\n\n\n".join("\n".join(found) + "\n\n" + text for text, found in packages.items()) + "\n"


def bundle(folder):
    """Bundle in a folder of its own, so that nothing stays behind in the project."""
    for path in SOURCE.iterdir():
        shutil.copy(path, folder)
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder, check=True)
    esbuild = ["node_modules/.bin/esbuild", "codemirror.mjs", "--bundle", "--minify", "--format=esm", "--target=es2022"]
    files = ["--outfile=bundle.js", "--metafile=parts.json", "--log-level=warning"]
    subprocess.run([*esbuild, *files], cwd=folder, check=True)
    names = bundled(folder)
    head = f"/* {', '.join(with_version(folder, name) for name in names)}; MIT licence, see the file LICENSE */\n"
    return head + (folder / "bundle.js").read_text(encoding="utf-8"), licences(folder, names)


def main():
    with tempfile.TemporaryDirectory() as folder:
        code, texts = bundle(Path(folder))
    TARGET.mkdir(exist_ok=True)
    BUNDLE.write_text(code, encoding="utf-8", newline="\n")
    LICENCES.write_text(texts, encoding="utf-8", newline="\n")
    print(f"{BUNDLE.name}: {len(gzip.compress(code.encode())) / 1000:.0f} kB gzipped")


if __name__ == "__main__":
    main()
