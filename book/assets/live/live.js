// Gives each code cell of a page its buttons. Nothing more is loaded before the reader presses one of them: then
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

  function button(words, name) {
    const element = document.createElement("button");
    element.type = "button";
    element.textContent = words;
    element.setAttribute("aria-label", name);
    return element;
  }

  document.addEventListener("DOMContentLoaded", () => {
    const cells = [...document.querySelectorAll("div.cell[id^=cell-]")].map((element, index) => {
      const run = button("Run", `Run cell ${index + 1}`), edit = button("Edit", `Edit cell ${index + 1}`);
      const bar = document.createElement("div"), words = document.createElement("span");
      bar.className = "live-bar";
      bar.append(run, edit, words);
      element.insertBefore(bar, element.querySelector(":scope > .cell_output, :scope > details.below-input"));
      return {element, index, bar, run, edit, words, note(text) { words.textContent = text; }};
    });
    for (const cell of cells) {
      cell.run.onclick = () => takeOver(cells).then((live) => live.run(cell.index), () => {});
      cell.edit.onclick = () => takeOver(cells).then((live) => live.edit(cell.index), () => {});
    }
    try {
      const stored = Object.keys(localStorage).some((key) => key.startsWith(`live ${location.pathname} `));
      if (stored) takeOver(cells).catch(() => {});
    } catch { /* no storage, no edits */ }
  });
})();
