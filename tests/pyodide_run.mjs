// Runs notebooks as the page does, but in Node: the page's own loader (python.mjs) and runner (runner.py).
//
//     node pyodide_run.mjs FOLDER_WITH_PYODIDE FOLDER_OF_THE_PAGE
//
// In, a line for each notebook: the JSON list of its cells' sources. Out, a line for each: the JSON list of what each
// cell puts out, which is a list of [kind, value].

import {readFile} from "node:fs/promises";
import {createInterface} from "node:readline";

console.log = console.error; // Pyodide says what it loads; standard output is for the results
const [base, own] = process.argv.slice(2).map((folder) => folder + "/"); // in Node, Pyodide takes paths for addresses
globalThis.fetch = async (path) => new Response(await readFile(path));

const {startPython} = await import(own + "python.mjs");
let outputs;
const emit = (kind, value) => outputs.push([kind, value]);
const {page, loadDrawing} = await startPython({base, own, emit, report() {}});
await loadDrawing();

for await (const line of createInterface({input: process.stdin})) {
  const sources = JSON.parse(line);
  const fresh = page.__class__(emit); // a page of its own for each notebook, as in the browser
  const cells = sources.map((_, index) => {
    outputs = [];
    fresh.run(sources, index);
    return outputs;
  });
  process.stdout.write(JSON.stringify(cells) + "\n");
}
