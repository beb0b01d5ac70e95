// The editor of a cell's code. CodeMirror is loaded at the first Edit; where it cannot be, there is a plain text box.
//
// Both have {element, value, focus(), mark(line), remove()}. What they are given: {code, name}; `changed()`, after each
// change by the reader; `run(onward)`, for the keys that run the cell, and then go to the next one;
// `complete(words)`, a promise of the names that may follow, or undefined.

import {python} from "./colours.mjs";
import {TextBox} from "./textbox.mjs";

const PATIENCE = 8000; // milliseconds; a reader who waits longer gets the text box
const HOW = "Control and Enter runs it, Shift and Enter also goes to the next cell.";
const HOW_TAB = "Tab indents; Escape, then Tab leaves the code.";
let loading;

export async function openEditor(cell) {
  const late = new Promise((_, fail) => { setTimeout(fail, PATIENCE); });
  loading ??= import("./codemirror/codemirror.min.js");
  try {
    return new Editor(await Promise.race([loading, late]), cell);
  } catch {
    return new TextBox(cell, HOW);
  }
}

class Editor {
  constructor(cm, cell) {
    this.cm = cm;
    this.error = marker(cm);
    this.view = new cm.EditorView({doc: cell.code, extensions: this.extensions(cm, cell)});
    this.element = this.view.dom;
  }

  extensions(cm, cell) {
    const attributes = {
      "aria-label": cell.name, "aria-description": `${HOW} ${HOW_TAB}`,
      spellcheck: "false", autocapitalize: "off", autocorrect: "off", translate: "no",
    };
    return [
      cm.EditorView.editorAttributes.of({class: "live-code highlight"}),
      cm.EditorView.contentAttributes.of(attributes),
      cm.EditorView.updateListener.of((update) => { if (update.docChanged && !this.silent) cell.changed(); }),
      keys(cm, cell),
      cm.history(), cm.indentUnit.of("    "), cm.EditorState.tabSize.of(4), cm.indentOnInput(),
      cm.bracketMatching(), cm.closeBrackets(), cm.search({top: true}),
      completion(cm, cell),
      python(cm), cm.EditorView.theme(LOOK), this.error.field,
    ];
  }

  get value() { return this.view.state.doc.toString(); }

  // What comes from another tab is no change by the reader here, but can be undone here.
  set value(code) {
    this.silent = true;
    // Not typed: undo takes it back by itself, however soon it comes after what was.
    this.view.dispatch({changes: {from: 0, to: this.view.state.doc.length, insert: code}, userEvent: "set"});
    this.silent = false;
  }

  focus() { this.view.focus(); }

  // Marks the line of an error, until the code is changed; without a line, none.
  mark(line) {
    const {doc} = this.view.state;
    const from = line >= 1 && line <= doc.lines ? doc.line(line).from : undefined;
    this.view.dispatch({effects: this.error.set.of(from)});
  }

  remove() { this.view.destroy(); }
}

// Keys: those of CodeMirror and of this page. Escape lets the next Tab leave, however late it comes.
function keys(cm, cell) {
  const run = (onward) => () => { cell.run(onward); return true; };
  const leave = (view) => { view.setTabFocusMode(3.6e6); return true; };
  const first = (view) => {
    if (cm.completionStatus(view.state) !== "active") return false;
    return cm.acceptCompletion(view) || (cm.moveCompletionSelection(true)(view) && cm.acceptCompletion(view));
  };
  return cm.keymap.of([
    {key: "Mod-Enter", run: run(false)}, {key: "Ctrl-Enter", run: run(false)}, {key: "Shift-Enter", run: run(true)},
    {key: "Tab", run: first},
    ...cm.closeBracketsKeymap, ...cm.completionKeymap, ...cm.searchKeymap, ...cm.historyKeymap, ...cm.defaultKeymap,
    cm.indentWithTab, {key: "Escape", run: leave},
  ]);
}

// Names come from the Python of the page, once it has run, and from the code itself. Enter begins a new line also while
// they are shown: it takes a name only if the reader has gone to it.
function completion(cm, cell) {
  const fromPython = async (context) => {
    const words = context.matchBefore(/[\p{L}_][\p{L}\p{N}_.]*/u);
    if (!words || (words.to - words.from < 2 && !context.explicit)) return null;
    const names = await cell.complete(words.text);
    const from = words.from + words.text.lastIndexOf(".") + 1;
    return names?.length ? {from, options: names.map((label) => ({label})), validFor: /^[\p{L}\p{N}_]*$/u} : null;
  };
  return cm.autocompletion({override: [fromPython, cm.localCompletionSource], icons: false, selectOnOpen: false});
}

// The line of an error: `set` puts the mark at a place, or takes it away; so does any change of the code.
function marker(cm) {
  const set = cm.StateEffect.define();
  const line = cm.Decoration.line({class: "cm-failed"});
  const field = cm.StateField.define({
    create: () => cm.Decoration.none,
    update(marks, {effects, docChanged}) {
      for (const effect of effects) {
        if (effect.is(set)) return effect.value === undefined ? cm.Decoration.none : cm.Decoration.set([line.range(effect.value)]);
      }
      return docChanged ? cm.Decoration.none : marks;
    },
    provide: (own) => cm.EditorView.decorations.from(own),
  });
  return {set, field};
}

// Only what CodeMirror draws itself; all colours are those of the page, so that they follow its theme.
const LINE = "1px solid var(--pst-color-border)";
const PAPER = {background: "var(--pst-color-surface)", color: "var(--pst-color-text-base)"};
const BUTTON = {...PAPER, border: LINE, borderRadius: "1rem", font: "inherit", fontSize: "0.8rem", backgroundImage: "none"};
const LOOK = {
  "&.cm-editor": {background: "var(--pst-color-surface)", border: LINE},
  "&.cm-editor.cm-focused": {outline: "2px solid var(--pst-color-primary)", outlineOffset: "-1px"},
  ".cm-scroller": {font: "inherit", lineHeight: "1.5"},
  ".cm-content": {padding: "0.6rem 0", caretColor: "var(--pst-color-text-base)"},
  ".cm-line": {padding: "0 1rem"},
  ".cm-failed": {background: "color-mix(in srgb, var(--pst-color-danger) 14%, transparent)",
    boxShadow: "inset 0.3rem 0 var(--pst-color-danger)"},
  "&.cm-focused .cm-matchingBracket": {background: "none", outline: "1px solid var(--pst-color-primary)"},
  "&.cm-focused .cm-nonmatchingBracket": {background: "none", outline: "1px solid var(--pst-color-danger)"},
  ".cm-searchMatch": {background: "none", outline: "1px solid var(--pst-color-primary)"},
  ".cm-searchMatch-selected": {background: "#ffe08a", color: "#14181e"},
  ".cm-selectionMatch": {background: "none"},
  ".cm-tooltip": {...PAPER, border: LINE, borderRadius: "0.3rem"},
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {fontFamily: "var(--pst-font-family-monospace)", maxHeight: "12em"},
  ".cm-tooltip-autocomplete ul li[aria-selected]": {background: "var(--pst-color-primary)", color: "var(--pst-color-background)"},
  ".cm-panels": {...PAPER, borderBottom: LINE},
  ".cm-panel.cm-search": {padding: "0.4rem 2rem 0.4rem 1rem", fontFamily: "var(--pst-font-family-base)"},
  ".cm-panel.cm-search label": {fontSize: "0.8rem"},
  ".cm-panel.cm-search [name=close]": {color: "var(--pst-color-text-base)", top: "0.3rem", right: "0.6rem"},
  ".cm-textfield": {...PAPER, border: LINE, borderRadius: "0.25rem", fontSize: "0.8rem"},
  ".cm-button": BUTTON,
};
