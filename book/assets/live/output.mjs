// The output of one cell: what the book stores, and what a run puts in its place.

export class Output {
  // `changed()`: whether the code that runs is not the book's.
  constructor(cell, changed) {
    Object.assign(this, {cell, changed});
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
    [this.fresh, this.last, this.drawn] = [true, undefined, 0];
    this.place.classList.add("live-old");
  }

  clear() {
    if (this.fresh) this.place.replaceChildren();
    this.fresh = false;
    this.place.classList.remove("live-old");
  }

  end() { this.clear(); }

  reset() {
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
    this.clear();
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
    else this.text(kind === "error" ? "live-error" : "text_plain", value);
  }

  text(kind, value) {
    const box = make("div", `output ${kind} highlight-myst-ansi notranslate`);
    const pre = box.appendChild(make("div", "highlight")).appendChild(make("pre"));
    pre.textContent = value;
    this.place.append(box);
    return pre;
  }

  html(value) {
    const box = make("div", "output text_html");
    box.innerHTML = value;
    this.place.append(box);
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
    const said = new DOMParser().parseFromString(svg, "image/svg+xml").querySelector("title")?.textContent;
    const words = said && said !== "no words in it" ? ` Its words: ${said}.` : "";
    if (stored && !this.changed()) image.alt = stored.alt;
    else image.alt = `Figure drawn by the reader's code.${words}` + (stored ? ` With the book's code: ${stored.alt}` : "");
    const frame = stored?.closest("figure")?.cloneNode(true);
    if (!frame) return this.place.append(image);
    frame.querySelector("img").replaceWith(image);
    const caption = frame.querySelector(".caption-text");
    if (caption && this.changed()) caption.prepend("Drawn by your code. The book's caption: ");
    this.place.append(frame);
  }

  // In this book a Markdown output is a listing, which the book has already coloured.
  markdown(value) {
    const code = value.match(/^```\w*\n([^]*)\n```\s*$/)?.[1];
    const stored = this.listings.find((listing) => listing.textContent.trim() === code?.trim());
    if (stored) this.place.append(stored.cloneNode(true));
    else this.text("text_plain", code ?? value);
  }
}

function make(tag, className = "") {
  const element = document.createElement(tag);
  element.className = className;
  return element;
}
