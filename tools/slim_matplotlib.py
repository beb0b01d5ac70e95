"""Make the Matplotlib that the pages load, book/assets/live/matplotlib-….whl, from the public one of Pyodide.

    python tools/slim_matplotlib.py FOLDER_WITH_PYODIDE

Almost half of that wheel are fonts and other data that no page of this book uses: they are left out. The modules that
a plot needs are compiled, which takes a second from every first figure and costs 0.8 MB. All else stays as it is. A
test compares what lies in the project with what this makes.
"""

import hashlib
import io
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

LIVE = Path(__file__).resolve().parent.parent / "book" / "assets" / "live"
NAME = "matplotlib-3.8.4-cp312-cp312-pyodide_2024_0_wasm32.whl"
SHA256 = "50d4641b32e84ecb0a2c271728d4be73b1e0a0f5f29aa7dd6ea280f888b91340"  # of the public one

# Matplotlib writes in DejaVu Sans, and takes from the other fonts those signs of formulas that it lacks.
FONTS = r"DejaVuSans(-Bold|-Oblique|Mono|Display)?|STIX(General|NonUni)(Ita|Italic)?|STIXSiz\w+Reg|cm\w+10"
DATA = rf"mpl-data/(sample_data|images|fonts/(?!ttf/(LICENSE|({FONTS})\.ttf)))"
# A page has no windows; for PDF and PostScript it lacks fontTools anyway.
BACKENDS = r"_backend_(gtk|pdf|tk)|backend_(cairo|gtk|macosx|nbagg|pdf|pgf|ps|qt|tk|webagg|wx)|qt_|web_backend"
LEFT_OUT = re.compile(rf"matplotlib/({DATA}|backends/({BACKENDS})|_ttconv|sphinxext|testing)|.*\.pyi$")
CHANGES = """\
This is Pyodide's wheel of Matplotlib without its example data, pictures of buttons and type stubs, without what draws
in windows or writes PDF and PostScript, and with a few of its fonts only. The modules that a plot needs are compiled.
"""


def slim(public):
    """The bytes of the smaller wheel from those of the public one."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(public)) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, True, 9) as new:
        for info in old.infolist():
            if not LEFT_OUT.match(info.filename):
                content = old.read(info)
                if info.filename.endswith(".dist-info/RECORD"):
                    content = b"".join(line for line in content.splitlines(True) if not LEFT_OUT.match(path_in(line)))
                new.writestr(info, content, zipfile.ZIP_DEFLATED, 9)
        new.comment = CHANGES.encode()
    return target.getvalue()


def path_in(line):
    """The file that a line of a wheel's RECORD is about."""
    return line.split(b",")[0].decode()


def node():
    """The Node that comes with Playwright, or the system's, or None."""
    try:
        import playwright
    except ImportError:
        return shutil.which("node")
    return str(next(Path(playwright.__file__).parent.glob("driver/node*")))


def compiled(wheel, folder):
    """The wheel with byte code in the place of the modules that a plot needs."""
    command = [node(), str(Path(__file__).with_name("compile_wheel.mjs")), str(folder)]
    return subprocess.run(command, input=wheel, stdout=subprocess.PIPE, check=True).stdout


def main(folder):
    public = (Path(folder) / NAME).read_bytes()
    if hashlib.sha256(public).hexdigest() != SHA256:
        sys.exit(f"{NAME} is not the file that was locked")
    (LIVE / NAME).write_bytes(compiled(slim(public), folder))
    print(f"{len(public) / 1e6:.2f} MB -> {(LIVE / NAME).stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
