// What the page's editor (book/assets/live/editor.mjs) takes from CodeMirror; tools/bundle_editor.py bundles it.

export {EditorState, Prec, StateEffect, StateField} from "@codemirror/state";
export {Decoration, EditorView, MatchDecorator, ViewPlugin, keymap} from "@codemirror/view";
export {defaultKeymap, history, historyKeymap, indentWithTab} from "@codemirror/commands";
export {bracketMatching, indentOnInput, indentUnit, syntaxHighlighting, syntaxTree} from "@codemirror/language";
export {localCompletionSource, pythonLanguage} from "@codemirror/lang-python";
export {
  acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, completionStatus,
  moveCompletionSelection,
} from "@codemirror/autocomplete";
export {search, searchKeymap} from "@codemirror/search";
export {styleTags, tagHighlighter, tags} from "@lezer/highlight";
