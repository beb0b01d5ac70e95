// The page as a notebook: the one that the book offers, with the reader's code in the cells that were changed.

// `cells`: those that were changed, {element, code}.
export async function download(cells) {
  const root = new URL(document.documentElement.dataset.content_root, location.href).href;
  const page = location.href.slice(root.length).match(/^[^?#]*?(?=\.html|[?#]|$)/)[0];
  const answer = await fetch(`${root}_sources/${page}.ipynb`);
  if (!answer.ok) throw new Error(`${answer.status}`);
  const edits = new Map(cells.map(({element, code}) => [element.id.replace(/^cell-/, ""), code]));
  const text = JSON.stringify(withEdits(await answer.json(), edits), null, 1) + "\n";
  save(text, `${page.split("/").at(-1)}_mine.ipynb`, "application/x-ipynb+json");
}

// What a changed cell had put out is no longer what it would put out.
function withEdits(notebook, edits) {
  for (const cell of notebook.cells) {
    if (edits.has(cell.id)) Object.assign(cell, {source: edits.get(cell.id), outputs: [], execution_count: null});
  }
  return notebook;
}

// Lets the browser save a text as a file.
export function save(text, name, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {type}));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
