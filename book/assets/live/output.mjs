// The output of one cell: what the book stores, and what a run puts in its place.

import {Controls} from "./controls.mjs";

export class Output {
  // `changed()`: whether the code that runs is not the book's. `move(id, picks)` is set by who can call Python.
  constructor(cell, changed) {
    Object.assign(this, {cell, changed, controls: new Map()});
    this.place = cell.querySelector(":scope > .cell_output > .predicted > div")
      ?? cell.querySelector(":scope > .cell_output, :scope > details.below-input > .cell_output");
    this.stored = this.place ? [...this.place.childNodes] : undefined;
    // Figures and listings of the book, in their order, for the words of those that are drawn anew.
    this.figures = this.place ? [...this.place.querySelectorAll("img")].filter((img) => !img.closest(".mlcore-frames")) : [];
    this.listings = this.place ? [...this.place.querySelectorAll("div[class^=highlight-]")] : [];
  }

  // What was there stays until something new comes, so that the page does not jump.
  begin() {
    if (!this.place) this.cell.append(this.place = make("div", "cell_output docutils container"));
    [this.fresh, this.last, this.drawn, this.inside, this.moved] = [true, undefined, 0, undefined, false];
    this.place.classList.add("live-old");
    this.controls.clear();
  }

  // Where the next piece goes: what controls show is put in its place as a whole, so that the page does not jump.
  get target() { return this.inside ?? this.place; }

  clear() {
    if (this.fresh) this.place.replaceChildren();
    this.fresh = false;
    this.place.classList.remove("live-old");
  }

  end() { this.clear(); }

  reset() {
    this.controls.clear();
    if (this.stored) {
      this.fresh = true;
      this.clear();
      this.place.replaceChildren(...this.stored);
    } else {
      this.place?.remove();
      this.place = undefined;
    }
  }

  add(kind, value) {
    if (kind === "moved") return this.open(value);
    if (kind === "settled") return this.settle(JSON.parse(value));
    if (!this.inside) this.clear();
    if (kind === "stdout" || kind === "stderr") {
      if (this.last?.kind !== kind) this.last = {kind, pre: this.text(`stream ${kind}`, "")};
      this.last.pre.append(value);
      if (value.includes("\r")) this.last.pre.textContent = this.last.pre.textContent.replace(/[^\n]*\r(?!\n)(?=[^\n])/g, "");
      return;
    }
    this.last = undefined;
    if (kind === "html") this.html(value);
    else if (kind === "figure" || kind === "svg") this.figure(value);
    else if (kind === "markdown") this.markdown(value);
    else if (kind === "controls") this.control(JSON.parse(value));
    else this.text(kind === "error" ? "live-error" : "text_plain", value);
  }

  control(described) {
    const controls = new Controls(described, (id, picks) => this.move(id, picks));
    controls.drawn = this.drawn; // figures that come before
    this.controls.set(described.id, controls);
    this.place.append(controls.box);
  }

  // What follows is shown by these controls; by ones that are gone, nowhere.
  open(id) {
    this.inside = make("div");
    this.last = undefined;
    this.moved = this.controls.get(id)?.moves > 0;
    this.drawn = this.controls.get(id)?.drawn ?? 0;
  }

  settle(told) {
    this.controls.get(told.id)?.settle(told, [...this.inside.childNodes]);
    [this.inside, this.last, this.moved] = [undefined, undefined, false];
  }

  // The Python that answered is gone.
  lose() { for (const controls of this.controls.values()) controls.lose(); }

  // Python has answered and is free.
  rest() { for (const controls of this.controls.values()) controls.rest(); }

  text(kind, value) {
    const box = make("div", `output ${kind} highlight-myst-ansi notranslate`);
    const pre = box.appendChild(make("div", "highlight")).appendChild(make("pre"));
    pre.textContent = value;
    this.target.append(box);
    return pre;
  }

  html(value) {
    const box = make("div", "output text_html");
    box.innerHTML = value;
    this.target.append(box);
    for (const dead of box.querySelectorAll("script")) { // only a script that is made anew runs
      const script = make("script");
      script.textContent = dead.textContent;
      dead.replaceWith(script);
    }
  }

  // A picture in its frame with its caption. The book's words describe it only if the book's code drew it.
  figure(svg) {
    const stored = this.figures[this.drawn++];
    const image = make("img");
    image.src = `data:image/svg+xml,${encodeURIComponent(svg)}`;
    image.classList.toggle("on-paper", !svg.includes("(prefers-color-scheme:dark)")); // white in the dark too: dim it
    const said = new DOMParser().parseFromString(svg, "image/svg+xml").querySelector("title")?.textContent;
    const words = said && said !== "no words in it" ? ` Its words: ${said}.` : "";
    if (stored && this.moved) image.alt = `Figure drawn with the settings above.${words}`;
    else if (stored && !this.changed()) image.alt = stored.alt;
    else image.alt = `Figure drawn by the reader's code.${words}` + (stored ? ` With the book's code: ${stored.alt}` : "");
    const frame = stored?.closest("figure")?.cloneNode(true);
    if (!frame) return this.target.append(image);
    frame.querySelector("img").replaceWith(image);
    const caption = frame.querySelector(".caption-text");
    if (caption && this.changed()) caption.prepend("Drawn by your code. The book's caption: ");
    this.target.append(frame);
  }

  // In this book a Markdown output is a listing, which the book has already coloured.
  markdown(value) {
    const code = value.match(/^```\w*\n([^]*)\n```\s*$/)?.[1];
    const stored = this.listings.find((listing) => listing.textContent.trim() === code?.trim());
    if (stored) this.target.append(stored.cloneNode(true));
    else this.text("text_plain", code ?? value);
  }
}

function make(tag, className = "") {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}
