// The small menu behind a cell's last button.

export class Menu {
  // `items`: [words, what is done with the index of the cell, whether it is offered for this index].
  constructor(items) {
    this.box = document.createElement("div");
    this.box.className = "live-menu";
    this.box.setAttribute("role", "group");
    this.box.popover = "auto"; // Escape, or a click elsewhere, closes it; the focus goes back
    this.buttons = items.map(([words, act, offered = () => true]) => {
      const button = document.createElement("button");
      Object.assign(button, {type: "button", textContent: words});
      button.onclick = () => { this.box.hidePopover(); act(this.index); };
      return {button, offered};
    });
    this.box.append(...this.buttons.map(({button}) => button));
    this.box.addEventListener("beforetoggle", ({newState}) => this.opener.setAttribute("aria-expanded", newState === "open"));
    this.box.addEventListener("keydown", (event) => this.step(event));
  }

  open(index, opener) {
    Object.assign(this, {index, opener});
    for (const {button, offered} of this.buttons) button.hidden = !offered(index);
    this.box.setAttribute("aria-label", opener.getAttribute("aria-label"));
    opener.parentElement.after(this.box);
    this.box.showPopover();
    const {left, bottom} = opener.getBoundingClientRect();
    this.box.style.left = `${Math.max(8, Math.min(left, document.documentElement.clientWidth - this.box.offsetWidth - 8))}px`;
    this.box.style.top = `${bottom + scrollY + 4}px`;
    this.box.querySelector("button:not([hidden])").focus();
  }

  // The arrows go up and down, as Tab does.
  step(event) {
    const by = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (!by) return;
    event.preventDefault();
    const there = [...this.box.querySelectorAll("button:not([hidden])")];
    there.at((there.indexOf(document.activeElement) + by) % there.length).focus();
  }
}
