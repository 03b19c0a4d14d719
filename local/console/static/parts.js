// Small parts that every view uses.

import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/view.js";
import { STATUS } from "./format.js";

export const SHAPES = {
  running: "M8 2a6 6 0 1 1-6 6",
  done: "M3 8.5l3.2 3.2L13 4.8",
  failed: "M4 4l8 8M12 4l-8 8",
  waiting: "M8 4v4l3 2M8 1.8a6.2 6.2 0 1 0 0 12.4 6.2 6.2 0 0 0 0-12.4Z",
  retrying: "M13 8a5 5 0 1 1-1.5-3.6M13 2.5v3h-3",
  skipped: "M3 5l4 3-4 3M8.5 5l4 3-4 3",
  stopped: "M4.5 4.5h7v7h-7Z",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9ZM10.4 10.4 14 14",
  sun: "M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6ZM8 1v1.5M8 13.5V15M1 8h1.5M13.5 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1",
  moon: "M13 9.6A5.6 5.6 0 0 1 6.4 3 5.6 5.6 0 1 0 13 9.6Z",
  plus: "M8 3v10M3 8h10", minus: "M3 8h10", fit: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  fork: "M4 2v4c0 3 8 2 8 5v3M12 2v2M4 6v8",
  person: "M8 2.5a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2ZM3 14c.4-3 2.3-4.4 5-4.4s4.6 1.4 5 4.4",
  close: "M4 4l8 8M12 4l-8 8", play: "M5 3l8 5-8 5Z", copy: "M5.5 5.5h7v8h-7ZM3.5 10.5v-8h7", step: "M3 3l6 5-6 5ZM12 3v10",
  down: "M4 6l4 4 4-4", up: "M4 10l4-4 4 4", undo: "M5.5 3 2.5 6l3 3M3 6h6.5a4 4 0 0 1 0 8H6", redo: "M10.5 3l3 3-3 3M13 6H6.5a4 4 0 0 0 0 8H10", back: "M10 3 5 8l5 5",
};

export function Icon({ name, label }) {
  return html`<svg class="icon icon-${name}" viewBox="0 0 16 16" width="16" height="16" focusable="false"
    role=${label ? "img" : undefined} aria-label=${label} aria-hidden=${label ? undefined : "true"}><path d=${SHAPES[name] || ""} /></svg>`;
}

export function Status({ of, quiet, text }) {
  const [tone, word] = STATUS[of] || ["stopped", of];
  return html`<span class="status tone-${tone} ${quiet ? "quiet" : ""}"><${Icon} name=${tone} />${text || word}</span>`;
}

export function Button({ icon, children, kind = "", ...rest }) {
  return html`<button type="button" class="button ${kind}" ...${rest}>${icon && html`<${Icon} name=${icon} />`}${children}</button>`;
}

// A dialog of the browser's own: it keeps the focus, and Escape closes it.
export function Dialog({ title, onClose, children, wide }) {
  const element = useRef(null);
  useLayoutEffect(() => {
    const dialog = element.current;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return html`<dialog ref=${element} class=${wide ? "wide" : ""} aria-labelledby="dialog-title"
    onCancel=${(event) => { event.preventDefault(); onClose(); }}>
    <header><h2 id="dialog-title">${title}</h2><button type="button" class="button plain" aria-label="Close" onClick=${onClose}><${Icon} name="close" /></button></header>
    ${children}
  </dialog>`;
}

// A form in a dialog that does something when it is confirmed, and says what went wrong.
export function Confirm({ title, verb, danger, onClose, act, children, disabled, wide }) {
  const [problem, setProblem] = useState(null);
  const [busy, setBusy] = useState(false);
  const send = async (event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await act();
      onClose();
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose} wide=${wide}>
    <form onSubmit=${send}>
      <div class="dialog-body">${children}</div>
      ${problem && html`<${Failure} problem=${problem} />`}
      <footer><${Button} onClick=${onClose}>Cancel<//>
        <button type="submit" class="button ${danger ? "danger" : "primary"}" disabled=${busy || disabled}>${verb}</button></footer>
    </form>
  <//>`;
}

export function Failure({ problem, again }) {
  const violations = problem.answer?.violations || [];
  return html`<div class="failure" role="alert">
    <p>${problem.message}</p>
    ${violations.length > 0 && html`<ul>${violations.map((each) => html`<li><code>${each}</code></li>`)}</ul>`}
    ${again && html`<${Button} onClick=${again}>Try again<//>`}
  </div>`;
}

export function Empty({ children }) {
  return html`<p class="empty">${children}</p>`;
}

export function Loading({ what = "Loading" }) {
  return html`<p class="empty" role="status">${what} …</p>`;
}

// What a load function answers: `{value, problem, again}`; asked anew when one of `inputs` changes.
export function useLoaded(load, inputs) {
  const [state, setState] = useState({ value: null, problem: null });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const gone = new AbortController();
    load({ signal: gone.signal }).then(
      (value) => !gone.signal.aborted && setState({ value, problem: null }),
      (problem) => !gone.signal.aborted && setState((before) => ({ value: before.value, problem })),
    );
    return () => gone.abort();
  }, [...inputs, turn]);
  return { ...state, again: () => setTurn((before) => before + 1) };
}

export function useNow(interval = 1000, active = true) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!active) return undefined;
    const timer = setInterval(() => setNow(Date.now()), interval);
    return () => clearInterval(timer);
  }, [interval, active]);
  return now;
}

export function Tabs({ tabs, chosen, onChoose, label }) {
  const move = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const names = tabs.map(([name]) => name);
    const next = names[(names.indexOf(chosen) + step + names.length) % names.length];
    onChoose(next);
    event.currentTarget.querySelector(`[data-tab="${next}"]`)?.focus();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${move}>
    ${tabs.map(([name, words]) => html`<button type="button" role="tab" data-tab=${name} id="tab-${name}" aria-selected=${name === chosen}
      aria-controls="panel-${name}" tabindex=${name === chosen ? 0 : -1} onClick=${() => onChoose(name)}>${words}</button>`)}
  </div>`;
}

export function save(name, content, type) {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}
