// The controls beside an output: sliders, menus and number fields that call a function of the page's Python.
// What is picked last counts, and one call at most is under way: what is picked meanwhile waits, and only the last of it.

let made = 0; // for the ids of the fields

export class Controls {
  // `described`: what mlcore.teaching.controls says; `ask(id, picks)` calls the function, null for its next step.
  constructor({id, controls, runs}, ask) {
    Object.assign(this, {id, ask, busy: true, wanted: undefined, running: false});
    this.moves = runs ? 1 : 0; // what runs begins elsewhere than where the stored picture ends
    this.box = make("div", {className: "live-controls"});
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", `Controls: ${controls.map(({name}) => name).join(", ")}`);
    const fields = this.box.appendChild(make("div", {className: "live-fields"}));
    this.fields = controls.map((control) => this.field(control, fields));
    if (runs) this.box.append(this.buttons());
    this.shown = make("div", {className: "live-shown"});
    this.shown.setAttribute("aria-live", "polite");
    this.program = make("details", {hidden: true, className: "live-program"});
    this.program.append(make("summary", {textContent: "The program that this runs"}), this.copyButton(), make("pre", {tabIndex: 0}));
    this.words = make("p", {className: "live-words", hidden: true});
    this.words.setAttribute("role", "status");
    this.box.append(this.words, this.shown, this.program);
  }

  // Draws one control; returns what reads its pick.
  field({name, kind, pick, labels, whole}, fields) {
    const id = `live-field-${made++}`, place = fields.appendChild(make("div"));
    place.append(make("label", {htmlFor: id, textContent: name}));
    const field = place.appendChild(make(kind === "menu" ? "select" : "input", {id}));
    if (kind === "menu") field.append(...labels.map((label, k) => new Option(label, k)));
    else if (kind === "slider") Object.assign(field, {type: "range", min: 0, max: labels.length - 1, step: 1});
    else Object.assign(field, {type: "number", step: whole ? 1 : "any"});
    field.value = pick;
    if (kind === "slider") {
      const value = place.appendChild(make("span"));
      value.setAttribute("aria-hidden", "true"); // the slider says it itself
      value.style.minWidth = `${Math.max(...labels.map((label) => label.length))}ch`;
      const say = () => { value.textContent = labels[field.value]; field.setAttribute("aria-valuetext", labels[field.value]); };
      field.addEventListener("input", say);
      say();
    }
    field.addEventListener(kind === "menu" ? "change" : "input", () => { if (field.value !== "") this.want(this.picks()); });
    return field;
  }

  picks() { return this.fields.map((field) => Number(field.value)); }

  buttons() {
    const bar = make("div", {className: "live-steps"});
    this.runButton = make("button", {type: "button", textContent: "Run"});
    const step = make("button", {type: "button", textContent: "Step"});
    const again = make("button", {type: "button", textContent: "Start over"});
    this.runButton.onclick = () => this.run(!this.running);
    step.onclick = () => { this.run(false); this.want(null); };
    again.onclick = () => this.want(this.picks());
    bar.append(this.runButton, step, again);
    return bar;
  }

  // While it runs by itself a screen reader could not keep up.
  run(yes) {
    this.running = yes;
    this.runButton.textContent = yes ? "Stop" : "Run";
    this.shown.setAttribute("aria-live", yes ? "off" : "polite");
    if (yes) this.want(this.ended ? this.picks() : null);
  }

  want(picks) {
    if (picks !== null || this.wanted === undefined) this.wanted = picks;
    if (!this.busy) this.next();
  }

  next() {
    const picks = this.wanted;
    [this.busy, this.wanted] = [true, undefined];
    this.moves += 1;
    this.ask(this.id, picks);
  }

  // The call has come to its end; `nodes` is what it showed, `step` whether there was anything left to do.
  settle({step, program}, nodes) {
    if (step || nodes.length) this.shown.replaceChildren(...nodes);
    if (program !== undefined && program !== null) {
      this.program.hidden = false;
      this.program.querySelector("pre").textContent = program;
    }
    this.ended = !step;
    if (this.running && this.ended) this.run(false);
    this.busy = false;
  }

  // Python is free again for what the reader has picked meanwhile, or for the next step.
  rest() {
    if (this.running && !this.busy) this.want(null);
    else if (this.wanted !== undefined) this.next();
  }

  // Python was started anew: the function is gone.
  lose() {
    this.running = false;
    for (const field of this.box.querySelectorAll("input, select, button")) field.disabled = true;
    this.say("Python was started anew: run this cell again to move these.");
  }

  say(text) { [this.words.textContent, this.words.hidden] = [text, !text]; }

  copyButton() {
    const copy = make("button", {type: "button", textContent: "Copy"});
    copy.onclick = async () => {
      const pre = this.program.querySelector("pre");
      try {
        await navigator.clipboard.writeText(pre.textContent);
        copy.textContent = "Copied";
      } catch { // not allowed: the reader's own keys can
        getSelection().selectAllChildren(pre);
        copy.textContent = "Selected: press Ctrl+C";
      }
      setTimeout(() => { copy.textContent = "Copy"; }, 2000);
    };
    return copy;
  }
}

function make(tag, properties = {}) { return Object.assign(document.createElement(tag), properties); }
