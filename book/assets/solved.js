// Marks the exercises that a reader has solved in this browser: where they stand, in the contents, on the landing page.
// cells.mjs tells of each check that says "Right."; what is kept is the name of the exercise.
(() => {
  const key = (name) => `solved ${name}`;
  const kept = new Set(); // also where nothing can be stored: as long as the page lives
  const stored = (name) => { try { return localStorage.getItem(key(name)) !== null; } catch { return false; } };
  const is = (name) => kept.has(name) || stored(name);

  function mark() {
    let all = 0, done = 0;
    for (const [page, names] of Object.entries(window.exercises)) {
      const here = names.filter(is).length;
      [all, done] = [all + names.length, done + here];
      for (const link of document.querySelectorAll(`.bd-links a[href$="${page}.html"], .bd-links a.current[href="#"]`)) {
        if (link.getAttribute("href") === "#" && !location.pathname.endsWith(`${page}.html`)) continue;
        const badge = link.querySelector(".solved-count") ?? link.appendChild(document.createElement("span"));
        badge.className = "solved-count";
        badge.textContent = here ? ` ${here} of ${names.length}` : "";
        badge.title = here ? "exercises solved in this browser" : "";
      }
      for (const name of names) document.getElementById(`cell-${name}-answer`)?.classList.toggle("solved", is(name));
    }
    for (const place of document.querySelectorAll("[data-solved]")) {
      place.textContent = done ? `You have solved ${done} of ${all} exercises in this browser.` : `${all} exercises, each with a check.`;
    }
  }

  window.solved = (name) => {
    kept.add(name);
    try { localStorage.setItem(key(name), new Date().toISOString().slice(0, 10)); } catch { /* not kept */ }
    mark();
  };
  // Whether an answer was ever given, right or wrong: steps.js asks before it shows a solution.
  window.tried = (name) => {
    kept.add(`tried ${name}`);
    try { localStorage.setItem(`tried ${name}`, ""); } catch { /* not kept */ }
  };
  window.wasTried = (name) => {
    if (kept.has(`tried ${name}`)) return true;
    try { return localStorage.getItem(`tried ${name}`) !== null; } catch { return false; }
  };
  document.addEventListener("DOMContentLoaded", mark);
  addEventListener("storage", mark); // another tab
})();
