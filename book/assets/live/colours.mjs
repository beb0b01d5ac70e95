// The colours of Python in the editor. The classes are those of the book's listings (Pygments), so that the same style
// sheets colour both; what Pygments knows by name alone is looked for here too.

const BUILTINS = `abs aiter all any bin bool breakpoint bytearray bytes callable chr classmethod compile complex delattr dict
  dir divmod enumerate eval filter float format frozenset getattr globals hasattr hash hex id input int isinstance issubclass
  iter len list locals map max memoryview min next object oct open ord pow print property range repr reversed round set
  setattr slice sorted staticmethod str sum super tuple type vars zip self cls Ellipsis NotImplemented __\\w+__`;
const NAMED = new RegExp(`\\b(?:(${BUILTINS.split(/\s+/).join("|")})|[A-Z]\\w*(?:Error|Warning)|Exception|StopIteration)\\b`, "g");

export function python(cm) {
  const {tags: t} = cm;
  const inStrings = {"FormatReplacement/{ FormatReplacement/} FormatConversion FormatSpec": t.special(t.brace)};
  const others = {"Ellipsis \"*\" \"**\"": t.operator};
  const language = cm.pythonLanguage.configure({props: [cm.styleTags({...inStrings, ...others})]});
  const classes = cm.tagHighlighter([
    {tag: t.comment, class: "c1"},
    {tag: [t.keyword, t.null, t.bool, t.modifier], class: "k"},
    {tag: t.operatorKeyword, class: "ow"},
    {tag: [t.string, t.special(t.string), t.special(t.brace)], class: "s2"},
    {tag: t.escape, class: "se"},
    {tag: t.number, class: "mi"},
    {tag: t.operator, class: "o"},
    {tag: t.meta, class: "nd"},
    {tag: t.function(t.definition(t.variableName)), class: "nf"},
    {tag: t.definition(t.className), class: "nc"},
  ]);
  return [language, cm.syntaxHighlighting(classes), named(cm)];
}

// Names that are Python's own: functions and the like, and errors.
function named(cm) {
  const marks = {nb: cm.Decoration.mark({class: "nb"}), ne: cm.Decoration.mark({class: "ne"})};
  const finder = new cm.MatchDecorator({
    regexp: NAMED,
    decorate(add, from, to, match, {state}) {
      const node = cm.syntaxTree(state).resolveInner(from, 1).name;
      if (node === "VariableName" || match[1]?.startsWith("__")) add(from, to, match[1] ? marks.nb : marks.ne);
    },
  });
  return cm.ViewPlugin.define((view) => ({
    decorations: finder.createDeco(view),
    update({startState, state, view, viewportChanged}) { // a cell is short: all of it is looked at again
      if (viewportChanged || cm.syntaxTree(startState) !== cm.syntaxTree(state)) this.decorations = finder.createDeco(view);
    },
  }), {decorations: (plugin) => plugin.decorations});
}
