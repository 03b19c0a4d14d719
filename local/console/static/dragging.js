// Steps dragged in the graph with a mouse or a pen: to another place, or from the handle to the step that one leads to.
// A finger scrolls. All of it is there for the keyboard, too.

import { html, useEffect, useRef, useState } from "./vendor/view.js";

const FAR = 6; // pixels after which a press is a drag
const RIM = 20; // of a step that holds others, where it is before or after it

export function useDragging(box, plan, edit) {
  const pressed = useRef(null);
  const [drag, setDrag] = useState(null);
  const stop = () => {
    pressed.current = null;
    setDrag(null);
  };
  useEffect(() => {
    if (!drag) return undefined;
    const key = (event) => event.key === "Escape" && stop();
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, [Boolean(drag)]);
  if (!edit) return { drag: null };

  const down = (event) => {
    const handle = event.target.closest("[data-handle]"), node = event.target.closest("[data-node]");
    if (event.button !== 0 || event.pointerType === "touch" || !node) return;
    pressed.current = { id: node.dataset.node, how: handle ? "connect" : "move", x: event.clientX, y: event.clientY };
  };
  const move = (event) => {
    const from = pressed.current;
    if (!from) return;
    if (!drag && Math.hypot(event.clientX - from.x, event.clientY - from.y) < FAR) return;
    if (!drag) event.currentTarget.setPointerCapture(event.pointerId);
    setDrag({ ...from, ...lines(event.currentTarget, from, event), ...spot(box.current, plan, from, event) });
  };
  const up = (event) => {
    const done = drag;
    stop();
    if (!done) return;
    // The click that ends a drag chooses nothing; where none comes, the next one is not to be swallowed.
    const svg = event.currentTarget, swallow = (click) => click.stopPropagation();
    svg.addEventListener("click", swallow, { capture: true });
    setTimeout(() => svg.removeEventListener("click", swallow, { capture: true }), 0);
    if (!done.over) return;
    if (done.how === "connect") edit.onConnect(done.id, done.over);
    else edit.onDrop(done.id, done);
  };
  return { drag, onPointerDown: down, onPointerMove: move, onPointerUp: up, onPointerCancel: stop };
}

export function Dragged({ drag }) {
  return html`<path class="connecting" d="M${drag.from.x} ${drag.from.y}L${drag.to.x} ${drag.to.y}" />`;
}

// From where to where it is dragged, in the drawing's own measures.
function lines(svg, from, event) {
  const inverse = svg.getScreenCTM().inverse();
  const at = (x, y) => new DOMPoint(x, y).matrixTransform(inverse);
  return { from: at(from.x, from.y), to: at(event.clientX, event.clientY) };
}

// Over which step it is, and whether it would be put before, after or into that.
function spot(box, plan, from, event) {
  const element = document.elementFromPoint(event.clientX, event.clientY)?.closest?.("[data-node]");
  if (!element || !box.contains(element) || element.dataset.node === from.id) return { over: null };
  const over = element.dataset.node;
  if (from.how === "connect") return { over, where: "into" };
  const shape = element.querySelector(".shape").getBoundingClientRect();
  const node = find(plan, over);
  const y = event.clientY - shape.top, rim = Math.min(RIM, shape.height / 4);
  if (node.inner.length && y > rim && y < shape.height - rim) {
    const x = ((event.clientX - shape.left) / shape.width) * node.width;
    const part = node.inner.findLastIndex((each) => each.x - 12 <= x);
    return { over, where: "into", part: Math.max(0, part) };
  }
  return { over, where: y < shape.height / 2 ? "before" : "after" };
}

function find(plan, id) {
  for (const node of plan.nodes) {
    if (node.id === id) return node;
    for (const part of node.inner) {
      const found = find(part.plan, id);
      if (found) return found;
    }
  }
  return null;
}
