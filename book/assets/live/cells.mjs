// The cells of a page that can be run, edited, stopped and reset. What their code does, the worker knows.

import {Output} from "./output.mjs";
import {Status} from "./status.mjs";

// Takes the cells that live.js has found: {element, index, bar, run, edit, words}.
export function takeOver(cells, settings) {
  const status = new Status(settings.own);
  const live = cells.map((cell) => new Cell(cell, settings.key));
  let waiting = [], now; // indices of the cells whose Run was pressed; the one whose turn it is
  let moving = 0, slow; // calls of controls that are under way; when the button that stops them comes

  const python = new Python(settings, {
    progress: (what, part) => status.progress(what, part),
    begin(index) {
      live[index].begin();
      status.say(index === now ? `Cell ${now + 1} runs.` : `Cell ${index + 1} runs, which cell ${now + 1} needs.`);
    },
    out: (index, kind, value) => live[index].output.add(kind, value),
    end: (index, good) => {
      live[index].end();
      live[index].tellIfSolved();
      status.say(good ? `Cell ${index + 1} has run.` : `Cell ${index + 1} stopped at an error.`);
    },
    done: next,
    rest,
    failed(message) {
      settle();
      status.failed(message);
    },
  });

  // Pressed once more, the button takes its wish back.
  function run(index) {
    if (waiting.includes(index)) {
      waiting.splice(waiting.indexOf(index), 1);
      return live[index].end();
    }
    if (index === now || live[index].busy) return stop();
    if (!live[index].mayShow()) return;
    live[index].wait();
    waiting.push(index);
    status.show({restart, stop});
    if (now === undefined) next();
  }

  function next() {
    now = waiting.shift();
    status.running(now !== undefined);
    if (now === undefined) return rest(0);
    if (!python.started) status.say("Python is loaded into your browser: about 15 MB, once for the whole book.");
    python.run(live.map((cell) => cell.source), now);
  }

  // Controls call their function. What lasts can be stopped.
  function move(cell, id, picks) {
    python.move(cell, id, picks);
    if (!moving++) slow = setTimeout(() => status.running(true), 700);
  }

  function rest(one = 1) {
    moving -= one;
    if (!moving) clearTimeout(slow);
    if (!moving && now === undefined) status.running(false);
    for (const cell of live) cell.output.rest();
  }

  // Nothing runs or waits any more, and what Python knew is lost.
  function settle() {
    moving = 0;
    clearTimeout(slow);
    for (const cell of live) {
      cell.end();
      cell.output.lose();
    }
    [waiting, now] = [[], undefined];
    status.running(false);
  }

  function stop() {
    settle();
    python.restart();
    status.say("Stopped. What the cells had computed is lost; the ones that a cell needs run again with it.");
  }

  function restart() {
    settle();
    python.restart();
    status.say("Python is started anew: nothing has run yet. The outputs stay until you reset or run their cells.");
  }

  for (const cell of live) {
    cell.output.move = (id, picks) => move(cell.index, id, picks);
    cell.onRun = () => run(cell.index);
    cell.onReset = (said) => status.say(said);
  }
  return {run, edit: (index) => live[index].edit()};
}

// The worker, from its first use on, and again after each restart.
class Python {
  constructor(settings, hear) { Object.assign(this, {settings, hear, worker: undefined}); }

  get started() { return this.worker !== undefined; }

  start() {
    const {own, python} = this.settings;
    try {
      // From a blob, because such a worker obeys the page's Content-Security-Policy.
      const source = new Blob([`import "${own}worker.mjs";`], {type: "text/javascript"});
      const worker = this.worker = new Worker(URL.createObjectURL(source), {type: "module"});
      worker.onmessage = ({data}) => worker === this.worker && this.answer(data);
      worker.onerror = (event) => worker === this.worker && this.fail(event.message || "the worker did not start");
      worker.postMessage({type: "start", base: python, own, sources: this.sources});
    } catch (error) {
      this.fail(error.message);
    }
  }

  run(sources, index) {
    this.sources = sources;
    if (!this.started) this.start();
    this.worker?.postMessage({type: "run", sources, index});
  }

  move(cell, id, picks) { this.worker.postMessage({type: "move", cell, id, picks}); }

  restart() {
    if (!this.started) return;
    this.worker.terminate();
    this.start();
  }

  fail(message) {
    this.worker?.terminate();
    this.worker = undefined;
    this.hear.failed(message);
  }

  answer(data) {
    if (data.type === "progress") this.hear.progress(data.what, data.part);
    else if (data.type === "begin") this.hear.begin(data.cell);
    else if (data.type === "out") this.hear.out(data.cell, data.kind, data.value);
    else if (data.type === "end") this.hear.end(data.cell, data.good);
    else if (data.type === "done") this.hear.done();
    else if (data.type === "rest") this.hear.rest();
    else this.fail(data.message);
  }
}

class Cell {
  constructor({element, index, bar, run, edit, words}, key) {
    Object.assign(this, {element, index, bar, words, runButton: run, editButton: edit, busy: false});
    this.pre = element.querySelector(".cell_input pre");
    this.book = this.pre.textContent.replace(/\n$/, "");
    this.output = new Output(element, () => this.code !== this.book);
    this.key = key + element.id;
    this.resetButton = run.cloneNode();
    this.resetButton.textContent = "Reset";
    this.resetButton.setAttribute("aria-label", `Reset cell ${index + 1}`);
    this.resetButton.hidden = true;
    this.resetButton.onclick = () => this.reset();
    edit.after(this.resetButton);
    const saved = load(this.key);
    if (saved) {
      this.open(saved.code);
      this.note(saved.book === this.book ? "Your code of an earlier visit."
        : "Your code of an earlier visit. The book's has changed since: Reset shows it.");
    }
  }

  get code() { return this.area?.value ?? this.book; }

  // What is run: the code, with what the reader has predicted.
  get source() {
    const {guess} = this.element.dataset;
    return this.area || guess === undefined ? this.code : this.book.replace(/^guess = \.\.\./m, () => `guess = ${guess}`);
  }

  note(text) { this.words.textContent = text; }

  edit() {
    this.open(this.code);
    this.area.focus();
  }

  open(code) {
    if (this.area) return;
    for (let part = this.pre; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
    this.area = document.createElement("textarea");
    Object.assign(this.area, {className: "live-code", value: code, spellcheck: false, wrap: "off"});
    for (const name of ["autocapitalize", "autocomplete", "autocorrect"]) this.area.setAttribute(name, "off");
    this.area.setAttribute("aria-label", `Code of cell ${this.index + 1}`);
    this.area.setAttribute("aria-description", "Control and Enter runs it.");
    this.area.oninput = () => { this.fit(); this.save(); };
    this.area.onkeydown = (event) => this.key_pressed(event);
    this.shown = this.pre.closest("div[class^=highlight-]");
    this.shown.hidden = true;
    this.shown.after(this.area);
    this.fit();
    this.editButton.hidden = true;
    this.resetButton.hidden = false;
  }

  fit() { this.area.rows = this.area.value.split("\n").length + 1; }

  key_pressed(event) {
    if (event.key !== "Enter" || event.isComposing) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey) {
      event.preventDefault();
      this.onRun();
      return;
    }
    // A new line begins below the one above, and further in behind a colon.
    const line = this.area.value.slice(0, this.area.selectionStart).split("\n").at(-1);
    const indent = line.match(/^ */)[0] + (line.trimEnd().endsWith(":") ? "    " : "");
    if (!indent) return;
    event.preventDefault();
    this.area.setRangeText("\n" + indent, this.area.selectionStart, this.area.selectionEnd, "end");
    this.area.dispatchEvent(new Event("input"));
  }

  save() {
    const changed = this.code !== this.book;
    const kept = changed ? store(this.key, {code: this.code, book: this.book}) : forget(this.key);
    this.note(!changed ? "" : kept ? "Changed by you; kept in this browser." : "Changed by you; this browser cannot keep it.");
  }

  reset() {
    forget(this.key);
    this.note("");
    this.output.reset();
    if (this.area) {
      this.shown.hidden = false;
      this.area.remove();
      this.area = undefined;
    }
    this.editButton.hidden = false;
    this.editButton.focus();
    this.resetButton.hidden = true;
    this.element.querySelector("details.predicted")?.dispatchEvent(new Event("book"));
    this.onReset(`Cell ${this.index + 1} is as in the book again.`);
  }

  // A prediction comes first, unless the code is the reader's own: then its output is shown, whatever it is.
  mayShow() {
    const fold = this.element.querySelector("details.predicted");
    if (!fold || fold.open) return true;
    const own = this.code !== this.book;
    fold.dispatchEvent(new Event(own ? "own" : "ask"));
    return own;
  }

  // An exercise is solved when its check says so, and tried when it finds an answer at all.
  tellIfSolved() {
    const name = this.element.id.match(/^cell-(.*)-answer$/)?.[1], said = this.output.place?.innerText ?? "";
    if (name && !/^No answer so far/m.test(said)) window.tried?.(name);
    if (name && /^Right\.$/m.test(said)) window.solved?.(name);
  }

  wait() { this.name("Stop"); }

  begin() {
    this.wait();
    this.busy = true;
    this.output.begin();
    this.resetButton.hidden = false;
  }

  end() {
    if (this.busy) this.output.end();
    this.busy = false;
    this.name("Run");
  }

  // The button keeps the focus whatever it is called.
  name(word) {
    this.runButton.textContent = word;
    this.runButton.setAttribute("aria-label", `${word} cell ${this.index + 1}`);
  }
}

// Storage may be full, forbidden or absent; then edits live as long as the page.

function load(key) {
  try { return JSON.parse(localStorage.getItem(key)); } catch { return null; }
}

function store(key, value) {
  try { localStorage.setItem(key, JSON.stringify(value)); return true; } catch { return false; }
}

function forget(key) {
  try { localStorage.removeItem(key); } catch { /* nothing was kept */ }
  return true;
}
