// What helps with an exercise opens in steps: the hint, typical mistakes, the solution, each when the one before it was
// opened. The solution asks first if nothing was tried. Without this script all of them are folds, in the same order.
(() => {
  function ask(fold, name, question) {
    const button = Object.assign(document.createElement("button"), {type: "button", textContent: "Show it anyway"});
    question.append("You have not tried yet.", button);
    button.onclick = () => {
      window.tried(name); // asked once, that is enough
      fold.open = true;
      question.replaceChildren();
      fold.querySelector("summary").focus();
    };
  }

  function inSteps(cell, name) {
    const folds = [];
    for (let next = cell.nextElementSibling; next?.tagName === "DETAILS"; next = next.nextElementSibling) folds.push(next);
    folds.slice(1).forEach((fold, i) => {
      fold.classList.add("step-later");
      folds[i].addEventListener("toggle", () => fold.classList.remove("step-later"), {once: true});
    });
    const solution = folds.at(-1), question = Object.assign(document.createElement("p"), {className: "step-ask"});
    if (!solution) return;
    question.setAttribute("role", "status");
    solution.after(question);
    solution.querySelector("summary").addEventListener("click", (event) => {
      if (solution.open || window.wasTried(name) || cell.classList.contains("solved")) return question.replaceChildren();
      event.preventDefault();
      if (!question.hasChildNodes()) ask(solution, name, question);
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const name of Object.values(window.exercises).flat()) {
      const cell = document.getElementById(`cell-${name}-answer`);
      if (cell) inSteps(cell, name);
    }
  });
})();
