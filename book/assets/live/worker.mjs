// Runs the Python of one page, so that the page itself never stands still.
//
// Messages in: {type: "start", base, own, sources}, then {type: "run", sources, index}, {type: "complete", words} or, for
// controls that a cell has shown, {type: "move", cell, id, picks}, which {type: "rest"} answers. One after the other is
// done.
// Messages out: {type: "progress", what, part}; {type: "begin", cell}, {type: "out", cell, kind, value},
// {type: "end", cell, good} for each cell that runs; {type: "done"} or {type: "failed", message};
// {type: "names", words, names}.

import {startPython} from "./python.mjs";

const NEEDS_DRAWING = /\b(matplotlib|visual|graph|playground)\b/;
let python, cell, turn = Promise.resolve();

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

async function move(data) {
  cell = data.cell;
  const {page} = await python;
  page.move(data.id, JSON.stringify(data.picks));
  send("rest");
}

addEventListener("message", ({data}) => { turn = turn.then(() => obey(data)); });

async function obey(data) {
  try {
    if (data.type === "start") {
      python = startPython({
        ...data,
        drawing: NEEDS_DRAWING.test(data.sources.join("\n")),
        emit: (kind, value) => send("out", {cell, kind, value}),
        report: (what, part) => send("progress", {what, part}),
      });
      await python;
    } else if (data.type === "move") {
      await move(data);
    } else if (data.type === "complete") {
      send("names", {words: data.words, names: (await python).page.complete(data.words).toJs()});
    } else {
      await run(data.sources, data.index);
    }
  } catch (error) {
    send("failed", {message: String(error)});
  }
}
