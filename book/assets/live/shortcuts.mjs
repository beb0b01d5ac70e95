// The list of shortcuts, opened by the key ? or from the menu of a cell.

const KEYS = [
  ["Control Enter", "run the cell"],
  ["Shift Enter", "run the cell and go to the next"],
  ["Tab", "further in; Shift and Tab: back out"],
  ["Escape, then Tab", "leave the code"],
  ["Control Space", "names that may follow; Tab takes the first, the arrows choose"],
  ["Control /", "make lines a comment, or no comment any more"],
  ["Control Z", "undo; Control and Y: do again"],
  ["Control F", "find in the code"],
  ["?", "this list, while you are not typing"],
];
const OFF = "shortcuts off"; // a single key is in the way of some who speak to their computer
let box;

export function show(byKey = false) {
  if (byKey && kept()) return;
  box ??= make();
  box.querySelector("input").checked = !kept();
  if (!box.open) box.showModal();
}

function make() {
  const dialog = document.createElement("dialog");
  dialog.className = "live-keys";
  dialog.setAttribute("aria-labelledby", "live-keys-title");
  dialog.innerHTML = `<header><h2 id="live-keys-title">Keyboard shortcuts</h2>
    <button type="button">Close</button></header><dl></dl>
    <p>On a Mac, Command does what Control does.</p>
    <p><label><input type="checkbox"> The key ? opens this list</label></p>`;
  for (const [keys, does] of KEYS) {
    const term = document.createElement("dt"), what = document.createElement("dd");
    term.innerHTML = keys.replace(/[^\s,]+(?=,|\s|$)/g, (key) => key === "then" ? key : `<kbd>${key}</kbd>`);
    what.textContent = does;
    dialog.querySelector("dl").append(term, what);
  }
  dialog.querySelector("input").onchange = ({target}) => keep(!target.checked);
  dialog.querySelector("button").onclick = () => dialog.close();
  document.body.append(dialog);
  return dialog;
}

function kept() {
  try { return localStorage.getItem(OFF) !== null; } catch { return false; }
}

function keep(off) {
  try { off ? localStorage.setItem(OFF, "") : localStorage.removeItem(OFF); } catch { /* not kept */ }
}
