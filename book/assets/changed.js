// Marks the cells that a reader has changed in this browser: in the contents of the book by page, in those of a page by
// section. cells.mjs says when that changes; the other pages are known from what is kept.
(() => {
  const script = document.currentScript.src;

  function elsewhere() {
    const counts = {};
    try {
      for (const key of Object.keys(localStorage)) {
        const page = key.match(/^live (\S+) cell-/)?.[1];
        if (page) counts[page] = (counts[page] ?? 0) + 1;
      }
    } catch { /* nothing is kept */ }
    return counts;
  }

  function badge(link, count) {
    let place = link.querySelector(".changed-count");
    if (!place && !count) return;
    place ??= link.appendChild(Object.assign(document.createElement("span"), {className: "changed-count"}));
    place.textContent = count ? ` ${count} changed` : "";
    place.title = count ? "cells that you have changed, in this browser" : "";
  }

  function mark() {
    const kept = elsewhere(), here = [...document.querySelectorAll("div.cell.changed")];
    const taken = document.documentElement.dataset.taken !== undefined; // the cells of this page know better
    for (const link of document.querySelectorAll(".bd-links a[href]")) {
      const path = new URL(link.href).pathname;
      badge(link, taken && path === location.pathname ? here.length : kept[path] ?? 0);
    }
    for (const link of document.querySelectorAll("#pst-page-toc-nav a[href^='#']")) {
      const section = document.getElementById(decodeURIComponent(link.hash.slice(1)))?.closest("section");
      badge(link, here.filter((cell) => cell.closest("section") === section).length);
    }
  }

  document.addEventListener("changed", mark);
  addEventListener("storage", mark); // another tab
  document.addEventListener("DOMContentLoaded", () => {
    mark();
    const place = document.querySelector("[data-work]");
    if (place) import(new URL("live/work.mjs", script)).then((work) => work.show(place), () => {});
  });
})();
