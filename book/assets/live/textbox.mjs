// A plain text box for a cell's code, where the editor cannot be loaded.

export class TextBox {
  constructor(cell, how) {
    this.cell = cell;
    this.element = document.createElement("textarea");
    Object.assign(this.element, {className: "live-code", value: cell.code, spellcheck: false, wrap: "off"});
    for (const name of ["autocapitalize", "autocomplete", "autocorrect"]) this.element.setAttribute(name, "off");
    this.element.setAttribute("aria-label", cell.name);
    this.element.setAttribute("aria-description", how);
    this.element.oninput = () => { this.fit(); cell.changed(); };
    this.element.onkeydown = (event) => this.pressed(event);
    this.fit();
  }

  get value() { return this.element.value; }

  set value(code) {
    this.element.value = code;
    this.fit();
  }

  focus() { this.element.focus(); }

  mark() { /* the status line says which line it is */ }

  remove() { this.element.remove(); }

  fit() { this.element.rows = this.value.split("\n").length + 1; }

  pressed(event) {
    if (event.key !== "Enter" || event.isComposing) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey) {
      event.preventDefault();
      this.cell.run(event.shiftKey);
      return;
    }
    // A new line begins below the one above, and further in behind a colon.
    const {element} = this, line = this.value.slice(0, element.selectionStart).split("\n").at(-1);
    const indent = line.match(/^ */)[0] + (line.trimEnd().endsWith(":") ? "    " : "");
    if (!indent) return;
    event.preventDefault();
    element.setRangeText("\n" + indent, element.selectionStart, element.selectionEnd, "end");
    element.dispatchEvent(new Event("input"));
  }
}
