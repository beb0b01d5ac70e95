// Runs the Python of one page, so that the page itself never stands still.
//
// Messages in: {type: "start", base, own, sources}, then {type: "run", sources, index}.
// Messages out: {type: "progress", what, part}; {type: "begin", cell}, {type: "out", cell, kind, value},
// {type: "end", cell, good} for each cell that runs; {type: "done"} or {type: "failed", message}.

import {startPython} from "./python.mjs";

const NEEDS_DRAWING = /\b(matplotlib|visual|graph)\b/;
let python, cell;

const send = (type, what = {}) => postMessage({type, ...what});

async function run(sources, index) {
  const {page, loadDrawing} = await python;
  const plan = page.plan(sources, index).toJs();
  for (cell of plan) {
    send("begin", {cell});
    if (NEEDS_DRAWING.test(sources[cell])) await loadDrawing();
    const good = page.run(sources, cell);
    send("end", {cell, good});
    if (!good) break;
  }
  send("done");
  loadDrawing().catch(() => {}); // fetched while the reader reads; a failure is said when a cell needs it
}

addEventListener("message", async ({data}) => {
  try {
    if (data.type === "start") {
      python = startPython({
        ...data,
        drawing: NEEDS_DRAWING.test(data.sources.join("\n")),
        emit: (kind, value) => send("out", {cell, kind, value}),
        report: (what, part) => send("progress", {what, part}),
      });
      await python;
    } else {
      await run(data.sources, data.index);
    }
  } catch (error) {
    send("failed", {message: String(error)});
  }
});
