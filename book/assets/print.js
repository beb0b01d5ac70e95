// Before a page is printed its folds open, but for code, programs and the frames of players, and its colours become the
// light ones. Afterwards all is as it was.
(() => {
  const page = document.documentElement;
  let folds = [], theme;
  addEventListener("beforeprint", () => {
    if (theme !== undefined) return;
    folds = [...document.querySelectorAll(".bd-article details:not([open], .hide)")].filter((fold) => fold.matches(".predicted") || !fold.closest(".cell_output"));
    for (const fold of folds) fold.open = true;
    theme = page.dataset.theme;
    page.dataset.theme = "light";
  });
  addEventListener("afterprint", () => {
    for (const fold of folds) fold.open = false;
    if (theme !== undefined) page.dataset.theme = theme;
    [folds, theme] = [[], undefined];
  });
  // A prediction must not take this for its reader's wish to see.
  addEventListener("toggle", (event) => { if (folds.includes(event.target)) event.stopImmediatePropagation(); }, true);
})();
