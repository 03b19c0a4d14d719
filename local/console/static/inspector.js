// One visit of a step: what went in, every attempt, what was wrong, what came out.

import { html, useEffect, useState } from "./vendor/view.js";
import { get } from "./api.js";
import { Button, Failure, Loading, Status } from "./parts.js";
import { Diff, Json } from "./json.js";
import { duration, nameOf, number, plural, time } from "./format.js";
import { MapRun, Progress } from "./maps.js";

export function Inspector({ execution, visit, turn, now, line, onChoose, onLine, onFork, actions }) {
  const [told, setTold] = useState(null);
  const [problem, setProblem] = useState(null);
  const version = `${visit.id}/${visit.status}/${visit.parts?.length ?? 0}/${visit.end ?? turn}`;
  useEffect(() => {
    const gone = new AbortController();
    get("visit", { execution, visit: visit.id }, { signal: gone.signal }).then(
      (value) => { setTold({ of: visit.id, ...value }); setProblem(null); },
      (error) => gone.signal.aborted || setProblem(error),
    );
    return () => gone.abort();
  }, [execution, version]);
  const values = told?.of === visit.id ? told : null;
  const among = values?.among;
  return html`<section class="inspector" aria-label="Step ${visit.step}">
    <header>
      <h3>${visit.step}${visit.iteration === undefined ? "" : html` <span class="soft">#${visit.iteration}</span>`}</h3>
      <${Status} of=${visit.status} />
      <span class="soft">${visit.kind}, ${duration((visit.end ?? now) - visit.start)}${visit.tries > 1 ? `, ${plural(visit.tries, "attempt")}` : ""}</span>
      <span class="spacer"></span>
      ${among?.total > 1 && html`<span class="visits"><${Button} kind="small" aria-label="The visit before" disabled=${among.before === null} onClick=${() => onChoose(among.before)}>Before<//>
        <span class="soft">${number(among.at + 1)} of ${number(among.total)}</span><${Button} kind="small" aria-label="The visit after" disabled=${among.after === null} onClick=${() => onChoose(among.after)}>After<//></span>`}
      ${line && html`<${Button} kind="small" onClick=${onLine}>Line ${line}<//>`}
      ${actions && html`<${Button} kind="small" icon="fork" onClick=${() => onFork(visit)}>Fork from here<//>`}
    </header>
    ${visit.error && html`<p class="error-line"><strong>${visit.error}</strong></p>`}
    ${visit.child && html`<p><a href="#/execution/${encodeURIComponent(visit.child)}">The execution that it started: ${nameOf(visit.child)}</a></p>`}
    ${visit.map_run ? html`<${MapRun} map_run=${visit.map_run} turn=${turn} />` : visit.items && html`<${Progress} counts=${{ succeeded: visit.items.done, failed: visit.items.failed, aborted: visit.items.stopped, pending: visit.items.total - visit.items.done - visit.items.failed - visit.items.stopped }} total=${visit.items.total} />`}
    ${problem && html`<${Failure} problem=${problem} />`}
    ${!values && !problem && html`<${Loading} what="Reading its values" />`}
    ${values && html`<${Values} values=${values} visit=${visit} execution=${execution} now=${now} />`}
  </section>`;
}

function Values({ values, visit, execution, now }) {
  const whole = (read) => async () => read(await get("visit", { execution, visit: visit.id, whole: 1 }));
  const later = values.violations.filter((each) => each.attempt === 0);
  return html`
    ${later.map((each) => html`<${Violations} found=${each.found} />`)}
    ${values.attempts.map((attempt, index) => html`<${Attempt} key=${attempt.event} kind=${visit.kind} attempt=${attempt} before=${values.attempts[index - 1]} last=${index === values.attempts.length - 1}
      violations=${values.violations.filter((each) => each.attempt === attempt.number)} now=${now} whole=${whole} index=${index} />`)}
    <div class="values">
      ${["input", "output"].map((name) => values[name] !== undefined && values[name] !== null && html`<${Value} title=${name === "input" ? "Input" : "Output"} open=${values.attempts.length === 0} value=${values[name]} whole=${whole((all) => all[name])} />`)}
      ${Object.keys(values.assigned || {}).length > 0 && html`<${Value} title="Assigned" value=${values.assigned} whole=${whole((all) => all.assigned)} />`}
      ${Object.keys(values.variables || {}).length > 0 && html`<${Value} title="Variables before it" value=${values.variables} whole=${whole((all) => all.variables)} />`}
    </div>`;
}

function Value({ title, value, open, whole }) {
  return html`<details class="value" open=${open}><summary>${title}</summary><${Json} value=${value} whole=${whole} label=${title} /></details>`;
}

function Violations({ found }) {
  return html`<div class="violations"><h5>${plural(found.length, "violation")}</h5><ul>${found.map((each) => html`<li>${typeof each === "string" ? each : each.message || each.that || JSON.stringify(each)}
    ${each.path && html` <code>${each.path}</code>`}${each.that && each.message && html` <code>${each.that}</code>`}</li>`)}</ul></div>`;
}

const TITLES = { gate: "Decision", agent: "Agent's attempt" };

function Attempt({ attempt, kind, before, violations, last, now, whole, index }) {
  const status = !attempt.end && kind in TITLES ? "waiting" : attempt.error ? "failed" : violations.length ? "violated" : attempt.end ? "done" : "running";
  const [compared, setCompared] = useState(false);
  return html`<details class="attempt" open=${last || status !== "done"}>
    <summary><span class="title">${TITLES[kind] || "Attempt"} ${attempt.number}</span> <${Status} of=${status} /> <span class="soft">${time(attempt.start)}, ${duration((attempt.end ?? now) - attempt.start)}</span></summary>
    ${attempt.error && html`<div class="cause"><strong>${attempt.error}</strong><${Why} cause=${attempt.cause} whole=${whole((all) => all.attempts[index].cause)} /></div>`}
    ${violations.map((each) => html`<${Violations} found=${each.found} />`)}
    <div class="pair">
      <div><h5>Asked ${attempt.resource && (kind in TITLES ? (kind === "gate" ? "of whoever decides" : "of the agent") : html`<code>${functionOf(attempt) || attempt.resource.replace(/^arn:[^:]+:lambda:.*:function:/, "")}</code>`)}</h5><${Json} value=${asked(attempt)} whole=${whole((all) => asked(all.attempts[index]))} label="What it was asked" /></div>
      ${"result" in attempt && html`<div><h5>Answered</h5><${Json} value=${answered(attempt.result)} whole=${whole((all) => answered(all.attempts[index].result))} label="What came back" /></div>`}
    </div>
    ${(called(attempt.arguments) || answered(attempt.result) !== attempt.result) && html`<details class="raw"><summary>As ${attempt.resource} was called, and what all it answered</summary><div class="pair">
      <${Json} value=${attempt.arguments} label="The whole call" />${"result" in attempt && html`<${Json} value=${attempt.result} label="The whole answer" />`}</div></details>`}
    ${before && html`<p><${Button} kind="small" aria-expanded=${compared} onClick=${() => setCompared(!compared)}>${compared ? "Hide" : "Show"} what differs from attempt ${before.number}<//></p>
      ${compared && html`<h5>Asked</h5><${Diff} old=${asked(before)} next=${asked(attempt)} label="Differences of what was asked" />
        <h5>Came back</h5><${Diff} old=${outcome(before)} next=${outcome(attempt)} label="Differences of what came back" />`}`}
  </details>`;
}

const outcome = (attempt) => (attempt.error ? { error: attempt.error, cause: attempt.cause } : answered(attempt.result));

// Of a call of Lambda, what the function was given and has answered: the rest is the same every time, and folded.
const called = (given) => given !== null && typeof given === "object" && "FunctionName" in given && "Payload" in given;
const asked = (attempt) => (called(attempt.arguments) ? (attempt.arguments.FunctionName === "stratum-work" ? told(attempt.arguments.Payload) : attempt.arguments.Payload) : attempt.arguments);
const TOLD = ["message", "shows", "form", "values", "intent", "input", "violations", "remarks"]; // to whoever decides or works
const told = (payload) => (payload !== null && typeof payload === "object" ? Object.fromEntries(TOLD.filter((name) => payload[name] !== null && payload[name] !== undefined && String(payload[name]) !== "").map((name) => [name, payload[name]])) : payload);
const functionOf = (attempt) => (called(attempt.arguments) && attempt.arguments.FunctionName !== "stratum-work" && typeof attempt.arguments.FunctionName === "string" ? attempt.arguments.FunctionName : null);
const answered = (result) => (result !== null && typeof result === "object" && "Payload" in result && "StatusCode" in result ? result.Payload : result);

// Why something failed. A function's error says it in its message; where in the code is folded.
export function Why({ cause, whole }) {
  const known = cause !== null && typeof cause === "object" && typeof cause.errorMessage === "string";
  if (!known) return html`<${Json} value=${cause} whole=${whole} label="Cause" />`;
  const trace = cause.stackTrace ?? cause.trace;
  return html`<p class="cause-text">${cause.errorMessage}</p>
    <details class="raw"><summary>Where in the code</summary>${Array.isArray(trace) && trace.length > 0 && html`<pre class="trace" tabindex="0" aria-label="Stack trace">${trace.map((line) => (typeof line === "string" ? line.replace(/\n$/, "") : JSON.stringify(line))).join("\n")}</pre>`}
    <${Json} value=${cause} whole=${whole} label="Cause" open=${1} /></details>`;
}
