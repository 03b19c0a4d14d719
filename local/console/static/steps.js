// The steps of a draft: what is done with the chosen one, besides dragging it in the graph.

import { html, useLayoutEffect, useState } from "./vendor/view.js";
import { Button } from "./parts.js";

const KINDS = [
  ["task", "a function or a service is called"], ["decision", "where to go on, by conditions"], ["parallel", "branches at the same time"], ["map", "steps for every item"],
  ["repeat", "steps again and again"], ["workflow", "another workflow"], ["gate", "a person decides"], ["agent", "work for an agent"], ["wait", "time passes"],
  ["set", "values under names"], ["succeed", "the end, with a result"], ["fail", "the end, with an error"],
];
const HOLDERS = ["parallel", "map", "repeat"];
export const KEYS = "Alt+ArrowUp Alt+ArrowDown Alt+ArrowLeft Alt+ArrowRight Delete F2 Insert";

// `perform(edit)` edits the text; `step` is the chosen step's id, `shape` as the server tells it.
export function StepTools({ shape, step, perform, about }) {
  const [kind, setKind] = useState("task");
  const chosen = shape.steps[step] ? step : null;
  const add = (place) => perform({ do: "add", kind, place });
  return html`<div class="step-tools">
    <div class="tool-row">
      <label><span class="hidden">Kind of the new step</span><select id="new-kind" value=${kind} onChange=${(event) => setKind(event.target.value)}>
        ${KINDS.map(([name, words]) => html`<option value=${name} title=${words}>${name}</option>`)}</select></label>
      <${Button} kind="small primary" icon="plus" onClick=${() => add(chosen ? { after: chosen } : {})}><span class="name">${chosen ? `Add after ${chosen}` : "Add at the end"}</span><//>
      ${chosen && html`<${Button} kind="small" onClick=${() => add({ before: chosen })}>before it<//>`}
      ${chosen && bodies(shape, chosen).map((each) => html`<${Button} kind="small" onClick=${() => add({ into: chosen, branch: each.branch })}><span class="name">into ${each.branch || "it"}</span><//>`)}
      ${chosen && shape.steps[chosen].kind === "parallel" && html`<${NewBranch} key=${chosen} onAdd=${(branch) => add({ into: chosen, branch })} />`}
    </div>
    ${chosen ? html`<${Chosen} shape=${shape} step=${chosen} perform=${perform} />`
      : html`<p class="soft hint">Choose a step in the graph to move, connect, rename or delete it.</p>`}
    ${about}
  </div>`;
}

function NewBranch({ onAdd }) {
  const [name, setName] = useState("");
  const add = (event) => {
    event.preventDefault();
    if (name) onAdd(name);
  };
  return html`<form class="tool-pair" onSubmit=${add}><input type="text" aria-label="Name of a new branch" placeholder="new branch" size="10" value=${name} onInput=${(event) => setName(event.target.value)} />
    <button type="submit" class="button small" disabled=${!name}>into that</button></form>`;
}

function Chosen({ shape, step, perform }) {
  const told = shape.steps[step];
  const [name, setName] = useState(step);
  useLayoutEffect(() => setName(step), [step]); // before anything can be typed into it
  const siblings = shape.lists[told.list].steps;
  const at = siblings.indexOf(step);
  const rename = (event) => {
    event.preventDefault();
    if (name !== step) perform({ do: "rename", step, to: name.trim() });
  };
  const targets = [...siblings.filter((each) => each !== step), "end"];
  const places = placesOf(shape, step);
  return html`<div class="tool-row">
      <form class="tool-pair" onSubmit=${rename}><label class="tool-pair"><span>Name</span><input id="step-name" type="text" size="14" maxlength="60" spellcheck="false" autocomplete="off" value=${name} onInput=${(event) => setName(event.target.value)} /></label>
        <button type="submit" class="button small" disabled=${!name.trim() || name === step}>Rename</button></form>
      <span class="tool-pair" role="group" aria-label="Move ${step}">
        <${Button} kind="small" icon="up" aria-label="Move up" disabled=${at === 0} onClick=${() => perform({ do: "move", step, place: { before: siblings[at - 1] } })} />
        <${Button} kind="small" icon="down" aria-label="Move down" disabled=${at === siblings.length - 1} onClick=${() => perform({ do: "move", step, place: { after: siblings[at + 1] } })} />
        ${places.length > 0 && html`<select aria-label="Move ${step} to another list" value="" onChange=${(event) => { const place = places[event.target.value]; event.target.value = ""; if (place) perform({ do: "move", step, place: place.place }); }}>
          <option value="">Move to …</option>${places.map((each, index) => html`<option value=${index}>${each.words}</option>`)}</select>`}
      </span>
      <${Button} kind="small danger" onClick=${() => perform({ do: "remove", step })}>Delete <span class="hidden">${step}</span><//>
    </div>
    <div class="ways" role="group" aria-label="Where ${step} leads">
      ${told.ways.map((way) => html`<${Way} key="${way.way}/${way.index}" way=${way} step=${step} targets=${targets} below=${siblings[at + 1] || "end"} perform=${perform} />`)}
      ${(told.kind === "decision" || told.fails) && html`<${NewWay} step=${step} kind=${told.kind} targets=${targets} perform=${perform} />`}
    </div>`;
}

function Way({ way, step, targets, below, perform }) {
  const connect = (to) => perform({ do: "connect", step, way: way.way, to: to || null, ...(way.index === null ? {} : { index: way.index }) });
  const free = way.way === "next" || way.way === "revise";
  const options = way.to && !targets.includes(way.to) ? [...targets, way.to] : targets;
  return html`<div class="way"><label class="tool-pair"><span class="way-label" title=${way.label}>${way.label}</span>
    <select value=${way.to || ""} onChange=${(event) => connect(event.target.value)}>
      ${free && html`<option value="">${way.way === "next" ? `${below} (below)` : "nothing"}</option>`}
      ${options.map((each) => html`<option value=${each}>${each}</option>`)}</select></label>
    ${!free && html`<${Button} kind="small plain" icon="close" aria-label="Take away: ${way.label}" onClick=${() => connect(null)} />`}</div>`;
}

function NewWay({ step, kind, targets, perform }) {
  const [words, setWords] = useState("");
  const [to, setTo] = useState("");
  const branch = kind === "decision";
  const add = (event) => {
    event.preventDefault();
    const match = words.split(",").map((each) => each.trim()).filter(Boolean);
    perform({ do: "connect", step, to, ...(branch ? { way: "branch", when: words.trim() || null } : { way: "error", match }) });
    setWords("");
    setTo("");
  };
  return html`<form class="way" onSubmit=${add}>
    <label class="tool-pair"><span class="way-label">${branch ? "when" : "on error"}</span><input type="text" class="code" size="16" spellcheck="false" placeholder=${branch ? "$input.total > 100" : "every error"} value=${words} onInput=${(event) => setWords(event.target.value)} /></label>
    <select aria-label="Step that it leads to" value=${to} onChange=${(event) => setTo(event.target.value)}><option value="">to …</option>${targets.map((each) => html`<option value=${each}>${each}</option>`)}</select>
    <button type="submit" class="button small" disabled=${!to || (branch && !words.trim())}>Connect</button></form>`;
}

const bodies = (shape, step) => (shape?.lists || []).filter((each) => each.of === step);

// The lists that a step can be put into, besides its own and those within it.
function placesOf(shape, step) {
  const within = (list) => list.of === step || (list.of && within(shape.lists[shape.steps[list.of].list]));
  return shape.lists.flatMap((list, index) => {
    if (index === shape.steps[step].list || within(list)) return [];
    const last = list.steps.at(-1);
    const words = list.of ? `the end of ${list.of}${list.branch ? `, ${list.branch}` : ""}` : "the end of the workflow";
    return [{ words, place: list.of ? { into: list.of, branch: list.branch } : last ? { after: last } : {} }];
  });
}

// Whether the key edits, where there is something to be edited.
export function edits(event) {
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey;
  return plain && (event.altKey ? event.key.startsWith("Arrow") : event.key === "Delete");
}

// What a key pressed at a step of the graph comes to: an edit, the id of what is to have the focus, or nothing.
export function editOf(event, shape, step) {
  const told = shape?.steps[step];
  if (!told) return null;
  const list = shape.lists[told.list];
  const at = list.steps.indexOf(step);
  const above = list.steps[at - 1], below = list.steps[at + 1];
  const move = (place) => ({ edit: { do: "move", step, place } });
  if (event.altKey && event.key === "ArrowUp") return above ? move({ before: above }) : list.of ? move({ before: list.of }) : null;
  if (event.altKey && event.key === "ArrowDown") return below ? move({ after: below }) : list.of ? move({ after: list.of }) : null;
  if (event.altKey && event.key === "ArrowLeft") return list.of ? move({ after: list.of }) : null;
  if (event.altKey && event.key === "ArrowRight") {
    const holder = [above, below].find((each) => each && HOLDERS.includes(shape.steps[each].kind) && bodies(shape, each).length);
    return holder ? move({ into: holder, branch: bodies(shape, holder)[0].branch }) : null;
  }
  if (event.altKey || event.ctrlKey || event.metaKey) return null;
  if (event.key === "Delete") return { edit: { do: "remove", step } };
  if (event.key === "F2") return { focus: "step-name" };
  if (event.key === "Insert") return { focus: "new-kind" };
  return null;
}

// What a drop in the graph comes to; `part` is the branch's place among those of the step that it was dropped into.
export function placeOf(shape, { over, where, part }) {
  if (where !== "into") return { [where]: over };
  return { into: over, branch: bodies(shape, over)[part]?.branch ?? null };
}

// What was done, in words.
export function wordsOf(edit, told) {
  const done = {
    add: () => `${told.step} was added`, remove: () => `${edit.step} was deleted`, move: () => `${edit.step} was moved`,
    rename: () => `${edit.step} is now ${told.step}`, connect: () => (edit.to ? `${edit.step} leads to ${edit.to}` : `a way of ${edit.step} was taken away`), set: () => `${edit.step} was changed`,
  }[edit.do]();
  return [`${done}, line ${told.line}`, ...told.notes].join("; ");
}
