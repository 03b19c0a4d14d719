// JSON as a tree that folds, and two values side by side.

import { html, useState } from "./vendor/view.js";
import { Button } from "./parts.js";
import { number } from "./format.js";

const ROOM = 100; // members that are shown of an array or object at first
const LONG = 400; // characters of a text that are shown at first

export const isFolded = (value) => value !== null && typeof value === "object" && "$folded" in value && "beginning" in value;

// `whole`, where given, fetches a value that was too large to be sent at once.
export function Json({ value, whole, label = "value", open = 2 }) {
  const [fetched, setFetched] = useState(undefined);
  if (isFolded(value) && fetched === undefined) {
    return html`<div class="json folded"><pre tabindex="0" aria-label="The beginning of ${label}">${value.beginning} …</pre>
      <p class="soft">${number(value.$folded)} characters; the beginning is shown.
      ${whole && html` <${Button} kind="small" onClick=${async () => setFetched(await whole())}>Show all of it<//>`}</p></div>`;
  }
  const shown = fetched === undefined ? value : fetched;
  return html`<div class="json" role="group" aria-label=${label}><${Node} value=${shown} depth=${open} /></div>`;
}

function Node({ value, depth, name, last = true }) {
  const key = name === undefined ? null : html`<span class="json-key">${name}</span>: `;
  if (value === null || typeof value !== "object") return html`<div class="json-line">${key}<${Leaf} value=${value} />${last ? "" : ","}</div>`;
  const members = Array.isArray(value) ? value.map((each) => [undefined, each]) : Object.entries(value).map(([k, v]) => [JSON.stringify(k), v]);
  const [left, right] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (members.length === 0) return html`<div class="json-line">${key}${left}${right}${last ? "" : ","}</div>`;
  return html`<${Branch} ...${{ members, left, right, key_: key, depth, last }} />`;
}

function Branch({ members, left, right, key_, depth, last }) {
  const [open, setOpen] = useState(depth > 0 && members.length <= ROOM);
  const [room, setRoom] = useState(ROOM);
  return html`<div class="json-branch">
    <div class="json-line"><button type="button" class="json-fold" aria-expanded=${open} aria-label="${open ? "Fold" : "Unfold"} ${number(members.length)} members"
      onClick=${() => setOpen(!open)}></button>${key_}${left}${!open && html`<span class="soft"> ${number(members.length)} </span>${right}`}</div>
    ${open && html`<div class="json-members">
      ${members.slice(0, room).map(([name, each], index) => html`<${Node} key=${name ?? index} name=${name} value=${each} depth=${depth - 1} last=${index === members.length - 1} />`)}
      ${members.length > room && html`<${Button} kind="small" onClick=${() => setRoom(room + 10 * ROOM)}>${number(members.length - room)} more<//>`}
    </div><div class="json-line json-end">${right}${last ? "" : ","}</div>`}
  </div>`;
}

function Leaf({ value }) {
  const [whole, setWhole] = useState(false);
  if (typeof value !== "string") return html`<span class="json-${value === null ? "null" : typeof value}">${String(value)}</span>`;
  const text = JSON.stringify(value);
  if (whole || text.length <= LONG) return html`<span class="json-string">${text}</span>`;
  return html`<span class="json-string">${text.slice(0, LONG)}…</span> <${Button} kind="small" onClick=${() => setWhole(true)}>${number(text.length)} characters<//>`;
}

// -- differences ---------------------------------------------------------------------------------------------

const lines = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2) ?? "nothing").split("\n");

// The lines of both texts in order, each as [sign, text]: the longest common subsequence is kept.
export function diff(old, next) {
  const a = lines(old), b = lines(next);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const x = a.slice(head, a.length - tail), y = b.slice(head, b.length - tail);
  const made = a.slice(0, head).map((line) => [" ", line]);
  if (x.length * y.length > 4_000_000) {
    made.push(...x.map((line) => ["-", line]), ...y.map((line) => ["+", line])); // too large to be compared well
  } else {
    made.push(...common(x, y));
  }
  return made.concat(a.slice(a.length - tail).map((line) => [" ", line]));
}

function common(x, y) {
  const width = y.length + 1;
  const length = new Uint32Array((x.length + 1) * width);
  for (let i = x.length - 1; i >= 0; i--) {
    for (let j = y.length - 1; j >= 0; j--) {
      length[i * width + j] = x[i] === y[j] ? length[(i + 1) * width + j + 1] + 1 : Math.max(length[(i + 1) * width + j], length[i * width + j + 1]);
    }
  }
  const made = [];
  let i = 0, j = 0;
  while (i < x.length && j < y.length) {
    if (x[i] === y[j]) made.push([" ", x[i++]]), j++;
    else if (length[(i + 1) * width + j] >= length[i * width + j + 1]) made.push(["-", x[i++]]);
    else made.push(["+", y[j++]]);
  }
  while (i < x.length) made.push(["-", x[i++]]);
  while (j < y.length) made.push(["+", y[j++]]);
  return made;
}

const AROUND = 3; // lines without a change that are kept around those with one

export function Diff({ old, next, label }) {
  const all = diff(old, next);
  const near = new Set();
  all.forEach(([sign], at) => {
    if (sign !== " ") for (let each = at - AROUND; each <= at + AROUND; each++) near.add(each);
  });
  if (near.size === 0) return html`<p class="soft">No difference.</p>`;
  const shown = [];
  all.forEach(([sign, text], at) => {
    if (near.has(at)) shown.push([sign, text]);
    else if (shown.at(-1)?.[0] !== "…") shown.push(["…", ""]);
  });
  return html`<pre class="diff" tabindex="0" aria-label=${label || "Differences"}>${shown.map(([sign, text]) => html`<span
    class=${{ "+": "plus", "-": "minus", "…": "gap" }[sign] || ""}>${sign} ${text}${"\n"}</span>`)}</pre>`;
}
