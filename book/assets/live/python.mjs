// Starts Python: Pyodide from where the site says, NumPy and Matplotlib with it, the book's package from the site itself.
//
// The list of what is loaded is pyodide-lock.json beside this file: the public one of this version, cut down to what
// the book uses (fonttools and pytz, which Matplotlib names, are only for PDF files and time zones). The browser refuses
// a file of it that does not have the checksum noted there. Matplotlib itself lies beside this file, because almost
// half of the public one are fonts and data that no page uses: tools/slim_matplotlib.py leaves them out, and compiles
// the rest of what a plot needs. What takes how long is marked for tools/measure_live.py.

const MATPLOTLIB = "matplotlib-3.8.4-cp312-cp312-pyodide_2024_0_wasm32.whl";
const ITS_NEEDS = ["contourpy", "cycler", "kiwisolver", "packaging", "pillow", "pyparsing", "python-dateutil"];
const FIRST = 15.7e6, SECOND = 5.8e6; // unpacked bytes of Pyodide with NumPy, and of Matplotlib with what it needs

// Counts the bytes of everything that is fetched from here on, for `report`.
function count(report) {
  const fetchPlain = globalThis.fetch;
  globalThis.fetch = async (...request) => {
    const answer = await fetchPlain(...request);
    if (!answer.body) return answer;
    const counter = new TransformStream({
      transform(piece, out) { report(piece.byteLength); out.enqueue(piece); },
    });
    return new Response(answer.body.pipeThrough(counter), answer);
  };
}

// `base`: the folder with Pyodide; `own`: the address of this folder; `drawing`: whether Matplotlib is wanted at once,
// and not only once all else is there; `emit(kind, value)`: see runner.py;
// `report(what, part)`: how far the loading is, from 0 to 1, which is when it is ready.
export async function startPython({base, own, drawing, emit, report}) {
  const forDrawing = [...ITS_NEEDS, own + MATPLOTLIB];
  let stage = drawing ? ["Python, NumPy and Matplotlib", FIRST + SECOND] : ["Python and NumPy", FIRST], got = 0;
  count((bytes) => { got += bytes; report(stage[0], Math.min(got / stage[1], 0.99)); });
  report(stage[0], 0);
  const archive = fetch(own + "mlcore.zip").then(checked).then((answer) => answer.arrayBuffer());
  const runner = fetch(own + "runner.py").then(checked).then((answer) => answer.text());
  const {loadPyodide} = await import(base + "pyodide.mjs");
  performance.mark("scripts");
  const python = await loadPyodide({
    indexURL: base,
    lockFileURL: own + "pyodide-lock.json",
    packages: drawing ? ["numpy", ...forDrawing] : ["numpy"],
    env: {HOME: "/home/pyodide", MPLBACKEND: "agg", MPLCONFIGDIR: "/tmp"},
  });
  performance.mark("Python with its packages");
  const site = python.runPython("import site; site.getsitepackages()[0]");
  python.unpackArchive(await archive, "zip", {extractDir: site});
  python.FS.writeFile(site + "/runner.py", await runner);
  report(stage[0], 1);
  performance.mark("the book's package");
  const page = python.runPython("import runner, __main__; runner.Page")(emit, python.globals);
  performance.mark("the runner");

  let loaded;
  const loadDrawing = () => loaded ??= (async () => {
    [stage, got] = [["Matplotlib", SECOND], drawing ? 0.99 * SECOND : 0];
    report(stage[0], got / SECOND);
    await python.loadPackage(forDrawing, {messageCallback() {}});
    performance.mark("Matplotlib's files");
    python.runPython("import matplotlib.pyplot");
    performance.mark("import of Matplotlib");
    report(stage[0], 1);
  })();
  return {page, loadDrawing};
}

function checked(answer) {
  if (!answer.ok) throw new Error(`${answer.url}: ${answer.status}`);
  return answer;
}
