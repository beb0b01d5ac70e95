// Asks for a prediction before it shows what a cell puts out. The book has stored the value, so nothing is loaded for it;
// the rule is that of mlcore.teaching.predict.
(() => {
  const key = (cell) => `predict ${location.pathname} ${cell.id}`;

  // What the reader writes, as Python would read it: a number, truth value, text, list or tuple; undefined if it is none.
  function read(text) {
    const words = text.trim();
    if (!words) return undefined;
    const json = words.split(/("[^"]*"|'[^']*')/).map((part, i) => i % 2 ? JSON.stringify(part.slice(1, -1)) : outside(part)).join("");
    try { return JSON.parse(json.replace(/,\s*([\]]|$)/g, (_, end) => end || "]").replace(/^(?!\[)(.*)\]$/, "[$1]")); } catch { /* next */ }
    try { return JSON.parse(`[${json}]`); } catch { /* several numbers without brackets? */ }
    return /[[\](){}]/.test(words) ? undefined : words;
  }

  // What stands outside of quotes: Python's tuples, truth values and ways to write a number, as JSON has them.
  function outside(part) {
    return part.replaceAll("(", "[").replaceAll(")", "]").replaceAll("−", "-")
      .replace(/\bTrue\b/g, "true").replace(/\bFalse\b/g, "false")
      .replace(/(?<![\w.])(-?)\+?(\.\d)/g, "$10$2").replace(/(\d)\.(?!\d)/g, "$1.0").replace(/(\d)_(?=\d)/g, "$1");
  }

  function numbers(value) {
    const flat = [value].flat(Infinity);
    return flat.every((part) => typeof part === "number") ? flat : undefined;
  }

  function shape(value) {
    return Array.isArray(value) ? [value.length, ...shape(value[0])] : [];
  }

  // Whether a prediction is right: within one per cent, or as far off as `within` allows; whole numbers exactly.
  function agrees(guess, truth, within) {
    if (truth?.float !== undefined) {
      const told = JSON.parse(JSON.stringify(truth.float), (_, x) => typeof x === "string" ? Number(x.replace("inf", "Infinity")) : x);
      return near(guess, told, within, 0.01);
    }
    if (typeof truth === "string") return typeof guess === "string" && guess.trim().toLowerCase() === truth.trim().toLowerCase();
    if (Array.isArray(truth) && !numbers(truth)) {
      return Array.isArray(guess) && guess.length === truth.length && truth.every((part, i) => agrees(guess[i], part, within));
    }
    if (typeof truth === "boolean") return guess === truth;
    return near(guess, truth, within, 0);
  }

  function near(guess, truth, within, relative) {
    const [a, b] = [numbers(guess), numbers(truth)];
    if (!a || String(shape(guess)) !== String(shape(truth))) return false;
    const size = Math.max(0, ...b.filter(Number.isFinite).map(Math.abs));
    return b.every((x, i) => a[i] === x || Math.abs(a[i] - x) <= (within ?? size * relative / 1000 + relative * Math.abs(x)));
  }

  // As Python writes it, for the cell.
  function literal(value) {
    if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
    if (typeof value === "boolean") return value ? "True" : "False";
    return JSON.stringify(value);
  }

  const HERE = " Predict first: replace the three dots and run again.";
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);

  function ask(fold) {
    const cell = fold.closest("div.cell"), {truth, within} = JSON.parse(fold.dataset.prediction);
    const code = cell.querySelector(".cell_input pre").textContent;
    const comment = [...cell.querySelectorAll(".cell_input .c1")].find((span) => code.includes(`guess = ...  ${span.textContent}`));
    const question = comment?.textContent.replace(/^#\s*/, "").replace(/^your prediction(: |, | )?/, "") ?? "";
    comment?.classList.add("predict-asked");
    const choices = typeof truth === "boolean" ? ["True", "False"] : typeof truth === "string" ? question.match(/"[^"]+"/g) ?? [] : [];
    const field = choices.length > 1 ? make("select", {}) : make("input", {type: "text", autocomplete: "off", size: 18});
    if (choices.length > 1) field.append(new Option("", ""), ...choices.map((c) => new Option(c.replaceAll('"', ""), c)));
    const label = make("label", {textContent: `Your prediction${question ? `: ${question}` : ""} `});
    const compare = make("button", {type: "submit", textContent: "Compare"});
    const show = make("button", {type: "button", textContent: "Show me"});
    const forget = make("button", {type: "button", textContent: "Ask me again", hidden: true});
    const said = make("p", {className: "predict-said"});
    said.setAttribute("role", "status");
    label.append(field);
    const form = make("form", {className: "predict"});
    form.append(label, compare, show, forget, said);
    fold.before(form);
    // The sentence in which the book explains it, next to the cell.
    const answer = [cell.previousElementSibling, cell.nextElementSibling].find((part) =>
      part?.tagName === "DETAILS" && part.querySelector("summary")?.textContent.trim().startsWith("Answer"));
    const folds = [fold]; // and those of the cells that go on
    for (let next = cell.nextElementSibling; next?.querySelector("details.predicted.later"); next = next.nextElementSibling) {
      folds.push(next.querySelector("details.predicted.later"));
    }
    const told = fold.textContent.match(/It is (.*?)\. Predict first/s)?.[1] ?? literal(truth);
    // What a notebook asks there, the form asks here.
    for (const line of fold.querySelectorAll("pre")) {
      if (line.textContent.includes(HERE)) line.textContent = line.textContent.replace(HERE, "");
    }

    function unfold(yes) { for (const each of folds) each.open = yes; }

    function open(words, guess) {
      said.textContent = words;
      unfold(true);
      if (answer && guess !== undefined) answer.open = true;
      form.classList.add("predict-done");
      [compare.hidden, show.hidden, forget.hidden, field.disabled] = [true, true, false, true];
      if (guess !== undefined) cell.dataset.guess = literal(guess);
    }

    function judge(text) {
      const guess = read(text);
      if (guess === undefined) return said.textContent = "Please write a number, a word or a list, as in Python.";
      open(agrees(guess, truth, within) ? `Right: it is ${told}.` : `Not so: you predicted ${text.trim()}, and it is ${told}.`, guess);
      return true;
    }

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!field.value.trim()) return field.focus();
      if (judge(field.value) === true) store(key(cell), field.value);
    });
    show.onclick = () => { store(key(cell), ""); open(`It is ${told}.`); };
    forget.onclick = () => {
      store(key(cell));
      delete cell.dataset.guess;
      unfold(false);
      [compare.hidden, show.hidden, forget.hidden, field.disabled] = [false, false, true, false];
      if (answer) answer.open = false;
      form.classList.remove("predict-done");
      [said.textContent, field.value] = ["", ""];
      field.focus();
    };
    for (const each of folds) {
      each.addEventListener("toggle", () => { if (each.open && !form.hidden && !compare.hidden) open(`It is ${told}.`); });
    }
    // What cells.mjs says when the cell is to be run: nothing is predicted yet; it is the reader's own code; the book's again.
    fold.addEventListener("ask", () => { said.textContent = "Predict first, or press Show me."; field.focus(); });
    fold.addEventListener("own", () => { form.hidden = true; unfold(true); });
    fold.addEventListener("book", () => { form.hidden = false; unfold(form.classList.contains("predict-done")); });
    for (const each of folds.slice(1)) {
      each.addEventListener("ask", () => fold.dispatchEvent(new Event("ask")));
      each.addEventListener("own", () => { each.open = true; });
    }
    const earlier = load(key(cell));
    if (earlier) { field.value = earlier; judge(earlier); } else if (earlier === "") open(`It is ${told}.`);
  }

  // Storage may be full, forbidden or absent; then a prediction lives as long as the page.
  function load(name) { try { return localStorage.getItem(name); } catch { return null; } }
  function store(name, value) {
    try { value === undefined ? localStorage.removeItem(name) : localStorage.setItem(name, value); } catch { /* not kept */ }
  }

  window.predictions = {read, agrees, literal};
  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("details.predicted:not(.later)").forEach(ask));
})();
