// Drafts: written with findings as one types and the graph beside it, run on a virtual clock, and exported.

import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./vendor/view.js";
import { get, post } from "./api.js";
import { TextEditor } from "./codemirror.js";
import { Button, Empty, Failure, Icon, Status, save } from "./parts.js";
import { Graph, byStep, stepOf, toneOf, tookOf } from "./graph.js";
import { Timeline } from "./timeline.js";
import { Json } from "./json.js";
import { duration, plural } from "./format.js";
import { take } from "./execution.js";
import { KEYS, StepTools, editOf, edits, placeOf, wordsOf } from "./steps.js";

const KEPT = "stratum-draft";
const PAUSE = 250; // milliseconds without a key after which a text is checked
const FIRST = `stratum: "1"
workflow: hello
version: 1.0.0
input: {name: string}
steps:
  - id: greet
    task: hello.greet
    input: {name: "{% $input.name %}"}
    output: {text: string, words: integer}
    ensure: [$result.words < 10]
    retry: {attempts: 3, backoff: linear, delay: 1s}
  - {id: settle, wait: 10m}
  - {id: done, succeed: "{% $greet.text %}"}
`;

export function Editor({ about, argument }) {
  const [given, setGiven] = useState(() => ({ text: argument ? "" : sessionStorage.getItem(KEPT) || FIRST }));
  const [text, setText] = useState(given.text);
  const [checked, setChecked] = useState({ findings: [], ok: true });
  const [picture, setPicture] = useState(null); // of the last text that could be drawn
  const [problem, setProblem] = useState(null);
  const [node, setNode] = useState(null);
  const [line, setLine] = useState(null);
  const [run, setRun] = useState(null);
  const [edited, setEdited] = useState({}); // what the last edit in the graph came to: `said` or `refused`
  const turn = useRef(0);
  const hurry = useRef(false);
  const arriving = useRef(null); // the step that is to be chosen when it is drawn
  const focus = useRef(null); // the step that is to have the focus when it is drawn
  const tools = useRef(null);
  const ends = useRef("\n");
  const queue = useRef(Promise.resolve());
  const now = useRef({ text, shape: null }); // what the next edit is of: a key may be pressed before the last one is drawn
  const write = (written) => {
    now.current.text = written;
    setText(written);
  };
  const replace = (written) => {
    setGiven({ text: written });
    write(written);
    setEdited({});
  };

  useEffect(() => {
    if (argument) get("definition", { digest: argument }).then((told) => replace(told.source), setProblem);
  }, [argument]);
  useEffect(() => {
    if (!text) return undefined;
    if (!argument) sessionStorage.setItem(KEPT, text);
    const mine = ++turn.current;
    const timer = setTimeout(() => post("check", { text }).then((told) => {
      if (mine !== turn.current) return;
      setChecked(told);
      setProblem(null);
      if (!told.plan) return;
      setPicture(told);
      if (now.current.text === text) now.current.shape = told.shape || null;
      if (arriving.current) setNode(arriving.current);
      arriving.current = null;
    }, setProblem), hurry.current ? 0 : PAUSE);
    hurry.current = false;
    return () => clearTimeout(timer);
  }, [text]);
  useLayoutEffect(() => {
    if (!focus.current || !picture) return;
    document.querySelector(`.graph [data-node="${CSS.escape(focus.current)}"]`)?.focus();
    focus.current = null;
  }, [picture]);

  const shape = picture?.shape;
  // Edits what is written, one edit after the other. From the graph, the step keeps the focus there.
  const perform = (make, fromGraph = false) => {
    queue.current = queue.current.then(() => performed(make, fromGraph)).catch((refused) => setEdited({ refused }));
  };
  const performed = async (make, fromGraph) => {
    const { text: base, shape: before } = now.current;
    const edit = typeof make === "function" ? make(before) : make;
    if (!edit) return;
    const told = await post("edit", { text: base, edit });
    if (told.refused) {
      setEdited({ refused: { message: told.line ? `line ${told.line}: ${told.refused}` : told.refused } });
      return;
    }
    if (told.changes.length === 0) {
      setEdited({ said: "There is nothing to be changed." });
      return;
    }
    hurry.current = true;
    const written = tools.current?.apply({ base, changes: told.changes, line: told.end_line });
    if (!written) {
      hurry.current = false;
      setEdited({ refused: { message: "the text has changed in the meantime: try again" } });
      return;
    }
    now.current.shape = told.shape;
    setEdited({ said: wordsOf(edit, told) });
    const next = told.step || neighbour(before, edit.step);
    arriving.current = next && `step ${next}`;
    if (fromGraph) focus.current = arriving.current;
  };
  const graphEdit = shape && {
    keys: KEYS,
    onKey: (event, id) => {
      const found = editOf(event, now.current.shape, stepOf(id));
      const pressed = { key: event.key, altKey: event.altKey };
      // What it comes to is told by then: the edits before it may still be under way.
      if (edits(event)) perform((at) => editOf(pressed, at, stepOf(id))?.edit, true);
      if (found?.focus) {
        const enter = () => {
          document.getElementById(found.focus)?.focus();
          document.getElementById(found.focus)?.select?.();
        };
        if (id === node) enter();
        choose(id);
        if (id !== node) requestAnimationFrame(enter);
      }
      return edits(event) || Boolean(found);
    },
    onDrop: (id, drop) => perform((at) => ({ do: "move", step: stepOf(id), place: placeOf(at, { ...drop, over: stepOf(drop.over) }) }), true),
    onConnect: (id, to) => {
      const step = stepOf(id);
      perform({ do: "connect", step, to: stepOf(to), ...(shape.steps[step]?.kind === "decision" ? { way: "branch" } : {}) }, true);
    },
  };

  const wrong = useMemo(() => wrongSteps(checked), [checked]);
  const marks = useMemo(() => checked.findings.map(mark), [checked]);
  const choose = (id) => {
    setNode(id);
    const at = picture?.lines[id];
    if (at && picture.source.trim() === text.trim()) setLine(at);
  };
  const open = async (event) => {
    const [file] = event.target.files;
    if (file) {
      const written = await file.text();
      ends.current = written.includes("\r\n") ? "\r\n" : "\n"; // the editor knows one end of lines; saved, it is the file's again
      replace(written.replaceAll("\r\n", "\n"));
    }
    event.target.value = "";
  };
  const steps = useMemo(() => (run ? byStep([...run.story.visits.values()]) : new Map()), [run]);
  const errors = checked.findings.filter((each) => each.severity === "error").length;
  const language = text.trimStart().startsWith("{") ? "json" : "yaml";
  return html`<main class="page editor">
    <div class="page-head"><div class="title-line"><h1>Editor</h1>
      <span role="status" class="live">${errors ? html`<${Status} of="failed" text=${plural(errors, "error")} />` : checked.findings.length ? html`<${Status} of="violated" text=${plural(checked.findings.length, "warning")} />` : html`<${Status} of="done" text="no findings" />`}</span>
      <span class="spacer"></span>
      <label class="button file">Open a file<input type="file" accept=".yaml,.yml,.json,.asl" onChange=${open} /></label>
      <${Exports} picture=${picture} ok=${checked.ok} text=${text} ends=${ends} /></div></div>
    ${problem && html`<${Failure} problem=${problem} />`}
    <div class="editor-grid">
      <section class="panel text-panel" aria-label="Text">
        <${TextEditor} given=${given} language=${language} marks=${marks} line=${line} tools=${tools} onChange=${write} label="Text of the workflow" />
        <${Findings} findings=${checked.findings} onChoose=${(each) => setLine(null) || requestAnimationFrame(() => setLine(each.line))} />
      </section>
      <section class="panel graph-panel ${checked.ok || checked.plan ? "" : "stale"}" aria-label="Graph">
        ${picture ? html`<${Graph} plan=${picture.plan} chosen=${node} onChoose=${choose} tone=${run ? (each) => toneOf(steps, each) : undefined} took=${run ? tookOf(run.story.taken, steps) : undefined} marks=${wrong} edit=${graphEdit} label="Graph of the draft" />`
          : html`<${Empty}>The graph is drawn when the text can be read.<//>`}
        ${shape && html`<${StepTools} shape=${shape} step=${node ? stepOf(node) : null} perform=${perform} about=${html`<${Told} edited=${edited} tools=${tools} />`} />`}
        ${picture && !shape && html`<p class="soft hint step-tools">The graph edits specs. A definition in Amazon States Language is edited in its text.</p>`}
      </section>
    </div>
    ${about?.try && html`<${TryOut} text=${text} ok=${checked.ok} run=${run} onRun=${setRun} picture=${picture} onChoose=${(id) => choose(id)} />`}
  </main>`;
}

// What the last edit came to, beside what takes it back.
function Told({ edited, tools }) {
  return html`<div class="tool-row told">
    <span class="tool-pair"><${Button} kind="small plain" icon="undo" aria-label="Undo" onClick=${() => tools.current?.undo()} /><${Button} kind="small plain" icon="redo" aria-label="Redo" onClick=${() => tools.current?.redo()} /></span>
    <span role="status" class="soft said">${edited.said || ""}</span>
    ${edited.refused && html`<${Failure} problem=${edited.refused} />`}
    <details class="keys"><summary>Keys</summary><dl>${HELP.map(([keys, words]) => html`<div><dt>${keys}</dt><dd>${words}</dd></div>`)}</dl></details></div>`;
}

const HELP = [
  ["Arrows", "to the next step, at a step of the graph"], ["Alt ↑ ↓", "move it, at the ends out of its list"], ["Alt → ←", "into the list beside it, and out"],
  ["Insert", "to the kind of a new step"], ["F2", "to its name"], ["Delete", "delete it"],
];

function neighbour(shape, step) {
  const list = shape.lists[shape.steps[step]?.list];
  const at = list?.steps.indexOf(step);
  return list?.steps[at - 1] || list?.steps[at + 1] || list?.of;
}

// The steps with an error in their lines: each finding is of the step that begins last before it.
function wrongSteps({ findings, lines, ok }) {
  if (ok || !lines) return {};
  const begins = Object.entries(lines).sort((a, b) => a[1] - b[1]);
  const found = findings.filter((each) => each.severity === "error" && each.path.startsWith("steps")).map((each) => begins.findLast(([, line]) => line <= each.line)?.[0]);
  return Object.fromEntries(found.filter(Boolean).map((id) => [id, "wrong"]));
}

function mark(finding) {
  const hint = finding.suggestion ? `\n${finding.suggestion}` : "";
  return { severity: finding.severity, message: `${finding.code}: ${finding.message}${hint}`, line: finding.line, column: finding.column || 1, endLine: finding.end_line, endColumn: finding.end_column };
}

function Findings({ findings, onChoose }) {
  if (findings.length === 0) return null;
  return html`<ol class="findings" aria-label="Findings">${findings.map((each) => html`<li class=${each.severity}><button type="button" onClick=${() => onChoose(each)}>
    <strong>${each.line ? `${each.line}:${each.column}` : ""} ${each.code}</strong> ${each.message}${each.suggestion && html` <span class="soft">${each.suggestion}</span>`}</button></li>`)}</ol>`;
}

function Exports({ picture, ok, text, ends }) {
  const name = picture?.workflow || "workflow";
  const ways = {
    spec: () => save(`${name}.${text.trimStart().startsWith("{") ? "asl.json" : "yaml"}`, text.replaceAll("\n", ends.current), "text/yaml"),
    asl: () => save(`${name}.asl.json`, picture.asl, "application/json"),
    mermaid: () => save(`${name}.mmd`, picture.mermaid, "text/plain"),
    svg: () => save(`${name}.svg`, picture.svg, "image/svg+xml"),
    png: async () => save(`${name}.png`, await png(picture.svg), "image/png"),
  };
  return html`<label class="export"><span class="hidden">Export</span><select value="" disabled=${!picture || !ok} onChange=${(event) => { ways[event.target.value]?.(); event.target.value = ""; }}>
    <option value="">Export …</option><option value="spec">Text as it is</option><option value="asl">Amazon States Language</option><option value="mermaid">Mermaid</option><option value="svg">SVG</option><option value="png">PNG</option></select></label>`;
}

function png(svg) {
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  return new Promise((done, failed) => {
    const image = new Image();
    image.onload = () => {
      const scale = Math.min(2, 8000 / Math.max(image.width, image.height));
      const canvas = document.createElement("canvas");
      canvas.width = image.width * scale;
      canvas.height = image.height * scale;
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      URL.revokeObjectURL(url);
      canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("the picture is too large"))), "image/png");
    };
    image.onerror = () => failed(new Error("the picture cannot be drawn"));
    image.src = url;
  });
}

// -- trying it ------------------------------------------------------------------------------------------------------

// A run is made anew with every answer: what there is of it is always what these answers come to.
function TryOut({ text, ok, run, onRun, picture, onChoose }) {
  const [input, setInput] = useState(() => sessionStorage.getItem(`${KEPT}-input`) || '{"name": "Ada"}');
  const [answers, setAnswers] = useState({});
  const [problem, setProblem] = useState(null);
  const [visit, setVisit] = useState(null);
  const perform = async (given, wanted = text) => {
    try {
      sessionStorage.setItem(`${KEPT}-input`, input);
      const told = await post("try", { text: wanted, input: JSON.parse(input || "{}"), answers: given });
      const story = { visits: new Map(), events: [], taken: new Set(), seq: -1 };
      take(story, told.story);
      onRun({ ...told, story });
      setAnswers(given);
      setProblem(null);
      const waiting = told.waiting[0];
      if (waiting) onChoose(`${picture?.language === "json" ? "state" : "step"} ${waiting.step}`);
    } catch (error) {
      setProblem(error);
    }
  };
  const answer = (step, given) => perform({ ...answers, [step]: [...(answers[step] || []), given] });
  const back = (step) => {
    const { [step]: given, ...others } = answers;
    perform(given.length > 1 ? { ...others, [step]: given.slice(0, -1) } : others);
  };
  const visits = run ? [...run.story.visits.values()].sort((a, b) => a.id - b.id) : [];
  return html`<section class="panel padded try" aria-label="Try it"><h2>Try it</h2>
    <p class="soft">Runs on a virtual clock, where no wait takes time. No task is performed: you say what each comes to.</p>
    <div class="try-grid"><div>
      <label class="field"><span>Input (JSON)</span><textarea rows="4" class="code" spellcheck="false" value=${input} onInput=${(event) => setInput(event.target.value)}></textarea></label>
      <p class="buttons"><${Button} kind="primary" icon="play" disabled=${!ok} onClick=${() => perform({})}>Run from the beginning<//>
        ${Object.keys(answers).length > 0 && html`<${Button} icon="play" disabled=${!ok} onClick=${() => perform(answers)}>Run with the same answers<//>`}</p>
      ${problem && html`<${Failure} problem=${problem} />`}
      ${Object.entries(answers).map(([step, given]) => html`<div class="given"><strong>${step}</strong> <span class="soft">${plural(given.length, "answer")}</span> <code>${short(given.at(-1))}</code> <${Button} kind="small" aria-label="Take back the last answer of ${step}" onClick=${() => back(step)}>Take back<//></div>`)}
    </div><div>
      ${!run && html`<${Empty}>It has not been run yet.<//>`}
      ${run && html`<p class="title-line"><${Status} of=${run.status} /> <span class="soft">${duration((run.stopped ?? run.now) - run.started)} of virtual time, ${plural(run.story.events.length, "event")}</span>${run.note && html`<span>${run.note}</span>`}</p>`}
      ${run?.waiting.filter((each, at) => run.waiting.findIndex((other) => other.step === each.step) === at).map((each) => html`<${Question} key="${each.step}/${each.asked}" asked=${each} onAnswer=${(given) => answer(each.step, given)} />`)}
      ${run && "output" in run && html`<h4>Output</h4><${Json} value=${run.output} label="Output" />`}
      ${run?.error && html`<div class="failure"><p><strong>${run.error}</strong></p>${run.cause && html`<p class="cause-text">${run.cause}</p>`}</div>`}
      ${run && html`<${Timeline} visits=${visits} start=${run.started} end=${run.stopped} now=${run.now} chosen=${visit} onChoose=${(id) => { setVisit(id); onChoose(`${picture?.language === "json" ? "state" : "step"} ${run.story.visits.get(id).step}`); }} />`}
    </div></div></section>`;
}

function short(answer) {
  const text = answer.error ? answer.error : JSON.stringify(answer.result);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function Question({ asked, onAnswer }) {
  const payload = asked.arguments?.Payload;
  const kind = asked.arguments?.FunctionName === "stratum-work" ? payload?.kind : null;
  const [result, setResult] = useState(kind === "gate" ? '"approve"' : "{}");
  const [error, setError] = useState("");
  const [wrong, setWrong] = useState(null);
  const give = () => {
    try {
      onAnswer({ result: JSON.parse(result) });
    } catch (problem) {
      setWrong(problem.message);
    }
  };
  return html`<div class="question"><p><${Icon} name="step" /> <strong>${asked.step}</strong> asks ${kind ? (kind === "gate" ? "a person" : "an agent") : html`<code>${asked.arguments?.FunctionName || asked.resource}</code>`}${asked.asked > 1 ? `, for the ${asked.asked}. time` : ""}</p>
    <details><summary>With</summary><${Json} value=${payload ?? asked.arguments} label="What it is asked" /></details>
    ${kind === "gate" ? html`<p class="buttons">${(payload.outcomes || ["approve", "reject"]).map((each) => html`<${Button} onClick=${() => onAnswer({ result: each })}>${each}<//>`)}</p>`
      : html`<label class="field"><span>It answers (JSON)</span><textarea rows="3" class="code" spellcheck="false" value=${result} onInput=${(event) => { setResult(event.target.value); setWrong(null); }}></textarea></label>
        ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
        <p class="buttons"><${Button} kind="primary" onClick=${give}>Answer ${asked.step}<//></p>
        <div class="or"><label class="field"><span>or it fails with the error</span><input type="text" value=${error} onInput=${(event) => setError(event.target.value)} /></label><${Button} disabled=${!error} onClick=${() => onAnswer({ error })}>Fail<//></div>`}
  </div>`;
}

export { stepOf };
