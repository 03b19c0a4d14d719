// The editor component, in a shadow root: there its styles are made without a <style> in the page, as the policy wants.

import { html, useEffect, useRef } from "./vendor/view.js";

let loading = null;
const load = () => (loading ??= import("./vendor/editor.js"));

// `given` is `{text}`: a new one replaces what is written. What is typed is told to `onChange` and never comes back, as it
// may be older by then than what has been typed since. `tools` is given `{undo, redo, apply}`;
// `apply({base, changes, line})` edits the text `base` as one change that can be undone, puts the cursor into the line and
// answers the new text, or null where the text is another by now. `marks` are findings `{severity, message, line, column, endLine?, endColumn?}`; `line` is brought into sight.
export function TextEditor({ given, language, marks, line, tools, onChange, label }) {
  const host = useRef(null);
  const kept = useRef({ view: null, code: null, changed: onChange });
  kept.current.changed = onChange;
  kept.current.given = given; // what is given while the component is still loaded, too
  useEffect(() => {
    let gone = false;
    load().then((code) => {
      if (gone) return;
      const root = host.current.shadowRoot || host.current.attachShadow({ mode: "open" });
      kept.current.code = code;
      kept.current.language = new code.Compartment();
      kept.current.view = new code.EditorView({ root, parent: root, state: stateOf(code, kept.current.given.text, kept, language, label) });
      kept.current.view.scrollDOM.tabIndex = 0; // to be scrolled by keyboard alone
      const command = (key) => () => code.historyKeymap.find((each) => each.key === key).run(kept.current.view);
      if (tools) tools.current = { undo: command("Mod-z"), redo: command("Mod-y"), apply: (change) => apply(kept.current, change) };
      show(kept.current, marks);
    });
    return () => {
      gone = true;
      kept.current.view?.destroy();
      kept.current.view = null;
    };
  }, []);
  useEffect(() => {
    kept.current.view?.dispatch({ changes: { from: 0, to: kept.current.view.state.doc.length, insert: given.text } });
  }, [given]);
  useEffect(() => {
    const { view, code } = kept.current;
    if (view) view.dispatch({ effects: kept.current.language.reconfigure(language === "json" ? code.json() : code.yaml()) });
  }, [language]);
  useEffect(() => show(kept.current, marks), [marks]);
  useEffect(() => {
    const { view, code } = kept.current;
    if (!view || !line || line > view.state.doc.lines) return;
    const at = view.state.doc.line(line).from;
    view.dispatch({ selection: { anchor: at }, effects: code.EditorView.scrollIntoView(at, { y: "center" }) });
  }, [line]);
  return html`<div class="text-editor" ref=${host}></div>`;
}

function apply({ view, code }, change) {
  if (view?.state.doc.toString() !== change.base) return null;
  // An event of its own in the history: what is typed is joined to typing alone.
  view.dispatch({ changes: change.changes, userEvent: "graph" });
  const at = view.state.doc.line(Math.min(change.line || 1, view.state.doc.lines));
  view.dispatch({ selection: { anchor: at.to }, effects: code.EditorView.scrollIntoView(at.from, { y: "center" }) });
  return view.state.doc.toString();
}

function stateOf(code, value, kept, language, label) {
  const { tags, HighlightStyle, EditorView } = code;
  const colours = HighlightStyle.define([
    { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--code-key)" },
    { tag: tags.string, color: "var(--code-string)" },
    { tag: [tags.number, tags.bool, tags.null], color: "var(--code-number)" },
    { tag: tags.comment, color: "var(--code-comment)", fontStyle: "italic" },
  ]);
  const theme = EditorView.theme({
    "&": { position: "absolute !important", inset: "0", color: "var(--ink)", backgroundColor: "var(--surface)", fontSize: "0.875rem" },
    "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
    ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.55" },
    ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--soft)", borderRight: "1px solid var(--line)" },
    ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--hover)" },
    ".cm-cursor": { borderLeftColor: "var(--ink)" },
    "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--selection) !important" },
    ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--ink)", border: "1px solid var(--line)", maxWidth: "40rem" },
    ".cm-diagnostic": { whiteSpace: "pre-wrap" },
    ".cm-foldPlaceholder": { backgroundColor: "var(--sunken)", color: "var(--soft)", border: "1px solid var(--line)" },
  });
  return code.EditorState.create({
    doc: value,
    extensions: [
      code.lineNumbers(), EditorView.lineWrapping, code.lintGutter(), code.foldGutter(), code.history(), code.drawSelection(), code.indentOnInput(), code.bracketMatching(), code.highlightActiveLine(),
      // Tab stays the browser's, so that whoever uses the keyboard alone can leave.
      code.keymap.of([...code.defaultKeymap, ...code.historyKeymap, ...code.foldKeymap, ...code.lintKeymap]),
      kept.current.language.of(language === "json" ? code.json() : code.yaml()),
      code.syntaxHighlighting(colours), theme,
      EditorView.contentAttributes.of({ "aria-label": label || "Text of the workflow" }),
      EditorView.updateListener.of((update) => update.docChanged && kept.current.changed(update.state.doc.toString())),
    ],
  });
}

function show({ view, code }, marks) {
  if (!view) return;
  const { doc } = view.state;
  const at = (line, column) => {
    const found = doc.line(Math.min(Math.max(1, line), doc.lines));
    return Math.min(found.from + Math.max(0, column - 1), found.to);
  };
  view.dispatch(code.setDiagnostics(view.state, marks.filter((each) => each.line).map((each) => {
    const from = at(each.line, each.column);
    const to = each.endLine ? at(each.endLine, each.endColumn) : from;
    return { from, to: Math.max(from, to), severity: each.severity === "error" ? "error" : "warning", message: each.message };
  })));
}
