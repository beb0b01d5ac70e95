// The cells of a page that can be run, edited, stopped and reset. What their code does, the worker knows.

import {openEditor} from "./editor.mjs";
import {Menu} from "./menu.mjs";
import {Output} from "./output.mjs";
import {Status} from "./status.mjs";

// Takes the cells that live.js has found: {element, index, bar, run, edit, more, words}.
export function takeOver(cells, settings) {
  const status = new Status(settings.own);
  const live = cells.map((cell) => new Cell(cell, settings.key));
  let waiting = [], now; // indices of the cells whose Run was pressed; the one whose turn it is
  let moving = 0, slow; // calls of controls that are under way; when the button that stops them comes
  let several = 0; // how many cells were asked for at once: then an error ends them all

  const python = new Python(settings, {
    progress: (what, part) => status.progress(what, part),
    begin(index) {
      live[index].begin();
      status.say(index === now ? `Cell ${now + 1} runs.` : `Cell ${index + 1} runs, which cell ${now + 1} needs.`);
    },
    out: (index, kind, value) => live[index].put(kind, value),
    end(index, good) {
      live[index].end();
      live[index].tellIfSolved();
      if (good) status.say(`Cell ${index + 1} has run.`);
      else stopped(index);
    },
    done: next,
    rest,
    failed(message) {
      settle();
      status.failed(message);
    },
  });

  // Pressed once more, the button takes its wish back.
  function press(index) {
    if (waiting.includes(index)) {
      waiting.splice(waiting.indexOf(index), 1);
      return live[index].end();
    }
    if (index === now || live[index].busy) return stop();
    if (live[index].mayShow()) want([index]);
  }

  // By a key, which stops nothing; `onward`: the focus goes to the next cell.
  function run(index, onward) {
    if (!live[index].mayShow()) return;
    want([index]);
    if (onward) live[index + 1]?.focus();
  }

  function want(indices) {
    const added = indices.filter((index) => index !== now && !waiting.includes(index));
    for (const index of added) live[index].wait();
    waiting.push(...added);
    status.show({restart, stop});
    if (now === undefined) next();
  }

  // The first so many cells, in their order. What asks for a prediction stays closed.
  function runFirst(count) {
    several = count;
    want(live.slice(0, count).map((cell) => cell.index));
  }

  // Of several cells that were asked for at once, those after an error do not run.
  function stopped(index) {
    const left = several ? waiting : [];
    for (const other of left) live[other].end();
    if (left.length) live[index].element.scrollIntoView({block: "nearest"});
    waiting = waiting.filter((other) => !left.includes(other));
    status.say(`Cell ${index + 1} stopped at an error${live[index].atLine}.${left.length ? " The cells after it have not run." : ""}`);
  }

  function next() {
    now = waiting.shift();
    status.running(now !== undefined);
    if (now === undefined) {
      several = 0;
      return rest(0);
    }
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
    [moving, several] = [0, 0];
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

  document.documentElement.dataset.taken = ""; // changed.js asks the cells of this page, not what is kept
  const menu = new Menu([
    ["Run all cells above", (index) => runFirst(index), (index) => index > 0],
    ["Run all cells", () => runFirst(live.length)],
    ["Download as a notebook, with my changes", async () => {
      try {
        await (await import("./notebook.mjs")).download(live.filter((cell) => cell.own !== undefined));
      } catch (error) {
        status.show({restart, stop});
        status.say(`The notebook could not be fetched (${error.message}).`);
      }
    }],
    ["Keyboard shortcuts", async () => (await import("./shortcuts.mjs")).show()],
  ]);

  for (const cell of live) {
    cell.output.move = (id, picks) => move(cell.index, id, picks);
    cell.onRun = (onward) => run(cell.index, onward);
    cell.onReset = (said) => status.say(said);
    cell.onComplete = (words) => python.complete(words);
  }
  addEventListener("storage", ({key, newValue}) => live.find((cell) => cell.key === key)?.hear(newValue));
  return {press, run, edit: (index) => live[index].edit(), more: (index, button) => menu.open(index, button)};
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
    this.free = false;
    this.worker?.postMessage({type: "run", sources, index});
  }

  move(cell, id, picks) { this.worker.postMessage({type: "move", cell, id, picks}); }

  // The names that may follow: a promise of nothing where Python is not there or has other work.
  complete(words) {
    this.asked?.done();
    if (!this.free) return Promise.resolve();
    return new Promise((done) => {
      this.asked = {words, done};
      this.worker.postMessage({type: "complete", words});
    });
  }

  // What was asked gets no answer any more.
  forget() {
    this.asked?.done();
    this.free = false;
  }

  restart() {
    if (!this.started) return;
    this.forget();
    this.worker.terminate();
    this.start();
  }

  fail(message) {
    this.forget();
    this.worker?.terminate();
    this.worker = undefined;
    this.hear.failed(message);
  }

  answer(data) {
    if (data.type === "progress") this.hear.progress(data.what, data.part);
    else if (data.type === "begin") this.hear.begin(data.cell);
    else if (data.type === "out") this.hear.out(data.cell, data.kind, data.value);
    else if (data.type === "end") this.hear.end(data.cell, data.good);
    else if (data.type === "rest") this.hear.rest();
    else if (data.type === "names") {
      if (data.words === this.asked?.words) this.asked.done(data.names);
    } else if (data.type === "done") {
      this.free = true;
      this.hear.done();
    } else this.fail(data.message);
  }
}

class Cell {
  constructor({element, index, bar, run, edit, words}, key) {
    Object.assign(this, {element, index, bar, words, runButton: run, editButton: edit, busy: false});
    this.pre = element.querySelector(".cell_input pre");
    this.book = this.pre.textContent.replace(/\n$/, "");
    this.output = new Output(element, () => this.own !== undefined);
    this.key = key + element.id;
    this.resetButton = run.cloneNode();
    this.resetButton.textContent = "Reset";
    this.resetButton.setAttribute("aria-label", `Reset cell ${index + 1}`);
    this.resetButton.hidden = true;
    this.resetButton.onclick = () => this.reset();
    edit.after(this.resetButton);
    const saved = load(this.key);
    if (saved) {
      this.take(saved);
      this.note(saved.book === this.book ? "Your code of an earlier visit."
        : "Your code of an earlier visit. The book's has changed since: Reset shows it.");
    }
  }

  // `own`: the reader's code, where it is not the book's.
  get code() { return this.own ?? this.book; }

  set code(code) {
    this.own = code === this.book ? undefined : code;
    this.element.classList.toggle("changed", this.own !== undefined);
    document.dispatchEvent(new Event("changed")); // marks it in the contents
  }

  // What is run: the code, with what the reader has predicted.
  get source() {
    const {guess} = this.element.dataset;
    return this.own !== undefined || guess === undefined ? this.code
      : this.book.replace(/^guess = \.\.\./m, () => `guess = ${guess}`);
  }

  note(text) { this.words.textContent = text; }

  focus() { (this.editor ?? this.runButton).focus(); }

  async edit() {
    await this.open();
    this.editor?.focus();
  }

  open() {
    this.opening ??= this.make();
    return this.opening;
  }

  async make() {
    for (let part = this.pre; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
    this.editButton.hidden = true;
    this.resetButton.hidden = false;
    const editor = await openEditor({
      code: this.code,
      name: `Code of cell ${this.index + 1}`,
      changed: () => this.save(),
      run: (onward) => this.onRun(onward),
      complete: (words) => this.onComplete(words),
    });
    if (!this.opening) return editor.remove(); // it was reset meanwhile
    this.editor = editor;
    if (editor.value !== this.code) editor.value = this.code;
    this.shown = this.pre.closest("div[class^=highlight-]");
    this.shown.hidden = true;
    this.shown.after(editor.element);
    editor.mark(this.line);
  }

  save() {
    this.code = this.editor.value;
    this.line = undefined;
    const {own, key, book} = this;
    const kept = own === undefined ? forget(key) : store(key, {code: own, book, when: Date.now()});
    this.note(own === undefined ? "" : kept ? "Changed by you; kept in this browser." : "Changed by you; this browser cannot keep it.");
  }

  // The reader's code from elsewhere: an earlier visit, or another tab.
  take({code}) {
    this.code = code;
    if (this.editor) this.editor.value = code;
    else this.open();
  }

  // Another tab has changed what is kept. What stood here is one undo away.
  hear(text) {
    const saved = read(text);
    if (saved) this.take(saved);
    else this.asInBook();
    this.note(saved ? "Changed by you in another tab." : "");
  }

  reset() {
    forget(this.key);
    this.output.reset();
    this.asInBook();
    this.editButton.focus();
    this.element.querySelector("details.predicted")?.dispatchEvent(new Event("book"));
    this.onReset(`Cell ${this.index + 1} is as in the book again.`);
  }

  asInBook() {
    this.code = this.book;
    this.note("");
    if (this.editor) {
      this.shown.hidden = false;
      this.editor.remove();
    }
    [this.editor, this.opening, this.line] = [];
    this.editButton.hidden = false;
    this.resetButton.hidden = true;
  }

  // A prediction comes first, unless the code is the reader's own: then its output is shown, whatever it is.
  mayShow() {
    const fold = this.element.querySelector("details.predicted");
    if (!fold || fold.open) return true;
    const own = this.own !== undefined;
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
    this.fail(undefined);
    this.resetButton.hidden = false;
  }

  put(kind, value) {
    this.output.add(kind, value);
    if (kind === "error") this.fail(lineIn(value, this.index));
  }

  // The line of an error is marked in the editor, now or when it is opened.
  fail(line) {
    this.line = line;
    this.editor?.mark(line);
  }

  get atLine() { return this.line ? ` in line ${this.line}` : ""; }

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

// The line of a cell at which a traceback ends.
function lineIn(traceback, index) {
  const places = [...traceback.matchAll(/File "<cell (\d+)>", line (\d+)/g)];
  const own = places.filter(([, number]) => number === `${index + 1}`).at(-1);
  return own && Number(own[2]);
}

// Storage may be full, forbidden or absent; then edits live as long as the page.

function load(key) {
  try { return read(localStorage.getItem(key)); } catch { return null; }
}

function read(text) {
  try {
    const saved = JSON.parse(text);
    return typeof saved?.code === "string" ? saved : null;
  } catch { return null; }
}

function store(key, value) {
  try { localStorage.setItem(key, JSON.stringify(value)); return true; } catch { return false; }
}

function forget(key) {
  try { localStorage.removeItem(key); } catch { /* nothing was kept */ }
  return true;
}
