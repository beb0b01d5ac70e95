// Makes the buttons of each code cell work. Nothing more is loaded before the reader presses one of them: then
// cells.mjs takes over, and with the first Run Python comes. Edits of an earlier visit are fetched back at once.
(() => {
  const settings = document.currentScript.dataset;
  const own = new URL(".", document.currentScript.src).href;
  let page;

  function takeOver(cells) {
    page ??= import(own + "cells.mjs").then((module) => module.takeOver(cells, {
      own,
      python: new URL(settings.python, new URL("../../", own)).href,
      key: `live ${location.pathname} `,
    }));
    page.catch((error) => {
      page = undefined;
      const why = location.protocol === "file:"
        ? "This page was opened from a file. To run cells it must come from a web server; a small one on your own computer will do."
        : `The script that runs cells could not be loaded (${error.message}).`;
      for (const cell of cells) cell.note(why);
    });
    return page;
  }

  document.addEventListener("DOMContentLoaded", () => {
    const cells = [...document.querySelectorAll("div.cell[id^=cell-]")].map((element, index) => {
      const bar = element.querySelector(":scope > .live-bar"), [run, edit, more, words] = bar.children;
      return {element, index, bar, run, edit, more, words, note(text) { words.textContent = text; }};
    });
    for (const cell of cells) {
      const then = (act) => takeOver(cells).then(act, () => {});
      cell.run.onclick = () => then((live) => live.press(cell.index));
      cell.run.onkeydown = (event) => {
        if (event.key !== "Enter" || !event.shiftKey) return;
        event.preventDefault();
        then((live) => live.run(cell.index, true));
      };
      cell.edit.onclick = () => then((live) => live.edit(cell.index));
      cell.more.onclick = () => then((live) => live.more(cell.index, cell.more));
    }
    const isEdit = (key) => key?.startsWith(`live ${location.pathname} `);
    try {
      if (Object.keys(localStorage).some(isEdit)) takeOver(cells).catch(() => {});
    } catch { /* no storage, no edits */ }
    addEventListener("storage", ({key}) => isEdit(key) && takeOver(cells).catch(() => {})); // another tab

    addEventListener("keydown", ({key, target}) => {
      const typing = target.closest?.("input, textarea, select, [contenteditable]");
      if (key === "?" && !typing) import(own + "shortcuts.mjs").then(({show}) => show(true), () => {});
    });
  });
})();
