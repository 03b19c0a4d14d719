// One execution: its graph coloured as it goes, and the same as a timeline, as events, and in the lines of its source.

import { html, useEffect, useMemo, useRef, useState } from "./vendor/view.js";
import { follow, get } from "./api.js";
import { Button, Empty, Failure, Icon, Loading, Status, Tabs, useLoaded } from "./parts.js";
import { Graph, byStep, stepOf, toneOf, tookOf } from "./graph.js";
import { Timeline } from "./timeline.js";
import { Events } from "./events.js";
import { Inspector, Why } from "./inspector.js";
import { Source } from "./source.js";
import { Json } from "./json.js";
import { ForkDialog, RedriveDialog, StopDialog } from "./actions.js";
import { duration, moment, nameOf, number, plural, when, who } from "./format.js";
import { useServerNow } from "./state.js";

const definitions = new Map(); // those that were shown: a definition never changes

// An execution's story as the server tells it, from what is there to what comes.
export function useStory(execution) {
  const [state, setState] = useState({ told: null, problem: null, lost: false, turn: 0 });
  const kept = useRef(null);
  useEffect(() => {
    let over = false, stop = () => {};
    kept.current = null;
    setState({ told: null, problem: null, lost: false, turn: 0 });
    get("execution", { execution }).then((told) => {
      if (over) return;
      kept.current = { visits: new Map(), groups: new Map(), events: 0, taken: new Set(), seq: -1 };
      take(kept.current, told.story);
      setState({ told, problem: null, lost: false, turn: 1 });
      stop = follow(
        () => ({ execution, after: kept.current.seq }),
        (more) => {
          take(kept.current, more.story);
          setState((before) => ({ ...before, told: more, turn: before.turn + 1 }));
        },
        (lost) => setState((before) => (before.lost === lost ? before : { ...before, lost })),
      );
    }, (problem) => over || setState({ told: null, problem, lost: false, turn: 0 }));
    return () => { over = true; stop(); };
  }, [execution]);
  return { ...state, story: kept.current };
}

export function take(kept, story) {
  for (const visit of story.visits) kept.visits.set(visit.id, visit);
  for (const group of story.groups || []) {
    // From now on its visits are told together.
    if (!kept.groups.has(group.step)) for (const visit of kept.visits.values()) if (visit.step === group.step) kept.visits.delete(visit.id);
    kept.groups.set(group.step, group);
  }
  if (Array.isArray(story.events)) kept.events = kept.events.concat(story.events);
  else kept.events = story.events;
  for (const way of story.taken) kept.taken.add(way);
  kept.seq = story.seq;
}

export function useDefinition(digest) {
  const [shown, setShown] = useState(definitions.get(digest) || null);
  useEffect(() => {
    if (!digest) return;
    if (definitions.has(digest)) setShown(definitions.get(digest));
    else get("definition", { digest }).then((told) => { definitions.set(digest, told); setShown(told); }, () => setShown(null));
  }, [digest]);
  return shown;
}

export function Execution({ execution, about }) {
  const { told, story, problem, lost, turn } = useStory(execution);
  const definition = useDefinition(told?.definition);
  const running = told?.status === "RUNNING";
  const now = useServerNow(about, running);
  if (problem) return html`<main class="page"><h1>${nameOf(execution)}</h1><${Failure} problem=${problem} /><p><a href="#/executions">All executions</a></p></main>`;
  if (!told || !story) return html`<main class="page"><h1>${nameOf(execution)}</h1><${Loading} /></main>`;
  return html`<main class="page run">
    <${Head} told=${told} story=${story} now=${now} lost=${lost} about=${about} />
    <${Story} execution=${execution} told=${told} story=${story} turn=${turn} definition=${definition} now=${now} actions=${about?.actions} />
  </main>`;
}

function Head({ told, story, now, lost, about }) {
  const [dialog, setDialog] = useState(null);
  const ended = told.status !== "RUNNING";
  return html`<div class="page-head">
    <nav class="crumbs" aria-label="Where this is"><a href="#/executions">Executions</a> <span aria-hidden="true">/</span> <a href="#/executions?workflow=${encodeURIComponent(told.workflow)}">${told.workflow}</a></nav>
    <div class="title-line"><h1>${told.item !== undefined && told.map_run ? html`Item ${number(told.item)} <span class="soft small">${told.name}</span>` : told.name}</h1><span role="status" class="live"><${Status} of=${told.status} /></span>${lost && html`<span class="soft">the connection is gone; trying again</span>`}
      <span class="spacer"></span>
      ${about?.actions && !ended && html`<${Button} onClick=${() => setDialog("stop")}>Stop<//>`}
      ${about?.actions && ended && told.status !== "SUCCEEDED" && html`<${Button} kind="primary" onClick=${() => setDialog("redrive")}>Redrive<//>`}
    </div>
    <ul class="facts-line">
      <li>${told.workflow} ${told.version || ""}</li>
      <li title=${moment(told.started)}>started ${when(told.started, now)}${told.requester ? html` by <strong>${who(told.requester)}</strong>` : ""}</li>
      <li>${ended ? "took" : "for"} ${duration((told.stopped ?? now) - told.started)}</li>
      <li>${plural(story.events, "event")}</li>
      ${told.redrives > 0 && html`<li>redriven ${plural(told.redrives, "time")}</li>`}
      ${told.origin && html`<li><${Icon} name="fork" /> ${told.origin.how} of <a href="#/execution/${encodeURIComponent(told.origin.execution)}">${nameOf(told.origin.execution)}</a> before event ${told.origin.event}</li>`}
      ${told.parent && html`<li>${told.map_run ? html`<a href="#/executions?map_run=${encodeURIComponent(told.map_run)}">item ${number(told.item)}</a> of` : "part of"} <a href="#/execution/${encodeURIComponent(told.parent)}">${nameOf(told.parent)}</a></li>`}
      ${ended && html`<${Cost} execution=${told.execution} turn=${told.stopped} much=${[...story.visits.values()].some((each) => each.map_run)} />`}
    </ul>
    ${(told.error || told.cause) && html`<div class="failure">${told.error && html`<p><strong>${told.error}</strong></p>`}${told.cause && html`<${Cause} cause=${told.cause} />`}</div>`}
    ${told.open?.length > 0 && html`<${Waits} story=${story} />`}
    ${dialog === "stop" && html`<${StopDialog} told=${told} onClose=${() => setDialog(null)} />`}
    ${dialog === "redrive" && html`<${RedriveDialog} told=${told} onClose=${() => setDialog(null)} />`}
  </div>`;
}

// Whose turn it is, as far as that is seen from here.
function Waits({ story }) {
  const open = [...story.visits.values(), ...[...story.groups.values()].map((each) => each.last)].filter((each) => !each.end);
  const gates = open.filter((each) => each.kind === "gate"), agents = open.filter((each) => each.kind === "agent");
  if (!gates.length && !agents.length) return html`<p class="notice"><${Icon} name="person" /> It waits for somebody: <a href="#/gates">the gates</a>, <a href="#/agents">the work of agents</a>.</p>`;
  return html`<p class="notice"><${Icon} name="person" /> ${gates.length > 0 && html`It waits for a person's decision at ${names(gates)}: <a href="#/gates">to the gates</a>. `}${agents.length > 0 && html`It waits for an agent at ${names(agents)}: <a href="#/agents">to the work of agents</a>.`}</p>`;
}

const names = (visits) => [...new Set(visits.map((each) => each.step))].join(", ");

// Counted from the whole log, and those of a map's items: it comes when it is there, and of many items when it is asked for.
function Cost({ execution, turn, much }) {
  const [asked, setAsked] = useState(!much);
  const { value } = useLoaded((options) => (asked ? get("cost", { execution }, options) : Promise.resolve(null)), [execution, turn, asked]);
  if (!asked) return html`<li><button type="button" class="link" onClick=${() => setAsked(true)}>Count what it cost</button></li>`;
  return value?.cost ? html`<li class="cost">${value.cost}</li>` : null;
}

export function Cause({ cause }) {
  let value = cause;
  try {
    value = JSON.parse(cause);
  } catch { /* it is a text */ }
  return typeof value === "object" && value !== null ? html`<${Why} cause=${value} />` : html`<p class="cause-text">${cause}</p>`;
}

// The four views of a story, linked: what is chosen in one is chosen in all.
export function Story({ execution, told, story, turn, definition, now, actions, values = true }) {
  const [node, setNode] = useState(null);
  const [visit, setVisit] = useState(null);
  const [tab, setTab] = useState("timeline");
  const [fork, setFork] = useState(null);
  const [fetched, setFetched] = useState(null); // the chosen visit, where it is one of too many to be told one by one
  const visits = useMemo(() => [...story.visits.values()].sort((a, b) => a.id - b.id), [story, turn]);
  const groups = useMemo(() => [...(story.groups?.values() || [])], [story, turn]);
  const steps = useMemo(() => byStep(visits, groups), [visits, groups]);
  const prefix = definition?.language === "yaml" ? "step" : "state";
  const sample = groups.flatMap((each) => [each.bad, each.last]).find((each) => each?.id === visit);
  const chosen = visit === null ? undefined : story.visits.get(visit) || sample || (fetched?.id === visit ? fetched : undefined);
  const wanted = visit !== null && !story.visits.has(visit) && !sample && (fetched?.id !== visit || (!fetched.end && fetched.turn !== turn));

  useEffect(() => {
    if (!wanted) return undefined;
    const gone = new AbortController();
    get("visit", { execution, visit }, { signal: gone.signal }).then(({ about }) => { setFetched({ ...about, turn }); setNode(`${prefix} ${about.step}`); }, () => {});
    return () => gone.abort();
  }, [wanted, visit, turn]);
  const chooseVisit = (id) => {
    const found = story.visits.get(id);
    setVisit(id);
    if (found) setNode(`${prefix} ${found.step}`);
  };
  const chooseNode = (id) => {
    setNode(id);
    const step = steps.get(stepOf(id));
    const bad = step?.visits.findLast?.((each) => each.status === "failed" || each.violations);
    setVisit(step ? (bad ?? step.visits.at(-1)).id : null);
  };
  // At first, what went wrong, or what goes on at the moment.
  useEffect(() => {
    if (visit !== null || steps.size === 0) return;
    const known = [...visits, ...groups.flatMap((each) => (each.bad ? [each.bad, each.last] : [each.last]))].sort((a, b) => a.id - b.id);
    const interesting = known.findLast((each) => each.status === "failed" && each.kind !== "fail" && each.end && (each.parts?.length || each.violations)) || known.findLast((each) => !each.end);
    if (interesting) chooseVisit(interesting.id);
  }, [definition, steps.size > 0]);

  const at = chosen ? `${prefix} ${chosen.step}` : node;
  const tone = (each) => toneOf(steps, each);
  const took = useMemo(() => tookOf(story.taken, steps), [story, steps]);
  const tabs = [["timeline", "Timeline"], ["events", html`Events <span class="soft">${number(story.events)}</span>`], ["source", definition?.language === "json" ? "Definition" : "YAML"], ["data", "Input & output"]];
  return html`<div class="story">
    <section class="panel graph-panel" aria-label="Graph">
      ${definition ? html`<${Graph} plan=${definition.plan} tone=${tone} took=${took} chosen=${at} onChoose=${chooseNode} label="Graph of ${told.workflow || "the workflow"}" />` : html`<${Loading} what="Drawing" />`}
    </section>
    <div class="side">
      <section class="panel tab-panel">
        <${Tabs} tabs=${tabs} chosen=${tab} onChoose=${setTab} label="Views of the execution" />
        <div role="tabpanel" id="panel-${tab}" aria-labelledby="tab-${tab}" class="tab-content">
          ${tab === "timeline" && html`<${Timeline} visits=${visits} groups=${groups} execution=${execution} turn=${turn} start=${told.started} end=${told.stopped} now=${now} chosen=${visit} onChoose=${chooseVisit} />`}
          ${tab === "events" && html`<${Events} execution=${execution} total=${story.events} start=${told.started} chosen=${visit} onChoose=${chooseVisit} />`}
          ${tab === "source" && (definition ? html`<${Source} source=${definition.source} language=${definition.language} lines=${definition.lines} chosen=${at} tones=${(each) => steps.get(stepOf(each))?.status} onChoose=${chooseNode} />` : html`<${Loading} />`)}
          ${tab === "data" && html`<${Data} execution=${execution} told=${told} />`}
        </div>
      </section>
      <section class="panel inspector-panel">
        ${chosen && values ? html`<${Inspector} execution=${execution} visit=${chosen} turn=${turn} now=${now} line=${definition?.lines[at]} onChoose=${chooseVisit} onLine=${() => setTab("source")} onFork=${setFork} actions=${actions} />`
          : values && html`<${Empty}>${node ? `${stepOf(node)} was not come to${told.status === "RUNNING" ? " yet" : ""}.` : "Choose a step to see what went in and what came out."}<//>`}
      </section>
    </div>
    ${fork && html`<${ForkDialog} told=${told} visit=${fork} onClose=${() => setFork(null)} />`}
  </div>`;
}

function Data({ execution, told }) {
  const whole = (name) => async () => (await get("value", { execution, name })).value;
  return html`<div class="data"><h4>Input</h4><${Json} value=${told.input} whole=${whole("input")} label="Input" />
    <h4>Output</h4>${"output" in told ? html`<${Json} value=${told.output} whole=${whole("output")} label="Output" />` : html`<p class="soft">${told.status === "RUNNING" ? "Not yet." : "None."}</p>`}</div>`;
}
