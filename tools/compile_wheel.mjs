// Compiles those modules of the pages' Matplotlib that a plot needs, with the Python of the pages: no other version can
// make its byte code.
//
//     node compile_wheel.mjs FOLDER_WITH_PYODIDE < wheel > compiled_wheel
//
// module.py becomes module.pyc in its place, which Python imports without a look at the source. Docstrings stay. The
// others stay as they are, since byte code is larger.
import {buffer} from "node:stream/consumers";
import {pathToFileURL} from "node:url";

const COMPILE = `
import io, py_compile, sys, zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt

plt.plot([1, 2], label="$x$")
plt.legend()
plt.savefig(io.BytesIO(), format="svg")
needed = {getattr(module, "__file__", None) for module in sys.modules.values()}
site = str(Path(plt.__file__).parent.parent) + "/"

HOW = py_compile.PycInvalidationMode.UNCHECKED_HASH

def compiled(name, source):
    with TemporaryDirectory() as folder:
        module, target = Path(folder, "module.py"), Path(folder, "module.pyc")
        module.write_bytes(source)
        py_compile.compile(module, target, dfile=name, doraise=True, invalidation_mode=HOW)
        return target.read_bytes()

target = io.BytesIO()
with zipfile.ZipFile(io.BytesIO(wheel.to_py())) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, True, 9) as new:
    for info in old.infolist():
        content = old.read(info)
        if site + info.filename in needed and info.filename.endswith(".py"):
            content = compiled(info.filename, content)
            info.filename += "c"
        elif info.filename.endswith(".dist-info/RECORD"):
            lines = (line.split(",") for line in content.decode().splitlines())
            content = "".join(f"{n}c,,\\n" if n.endswith(".py") and site + n in needed else ",".join([n, *r]) + "\\n" for n, *r in lines).encode()
        new.writestr(info, content, zipfile.ZIP_DEFLATED, 9)
    new.comment = old.comment
target.getvalue()
`;

const folder = process.argv[2].replace(/\/?$/, "/");
const {loadPyodide} = await import(pathToFileURL(`${folder}pyodide.mjs`).href);
const python = await loadPyodide({indexURL: folder, env: {HOME: "/home/pyodide", MPLBACKEND: "agg"}, stdout() {}, stderr() {}});
const needs = ["numpy", "contourpy", "cycler", "kiwisolver", "packaging", "pillow", "pyparsing", "python-dateutil"];
await python.loadPackage(needs, {messageCallback() {}});
const wheel = new Uint8Array(await buffer(process.stdin));
python.unpackArchive(wheel, "wheel");
python.globals.set("wheel", wheel);
process.stdout.write(python.runPython(COMPILE).toJs());
