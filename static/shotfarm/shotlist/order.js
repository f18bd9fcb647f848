/* Rows of one sequence are put in order: dragged by a handle, or moved by the arrow keys. */

import { all, ask, bad, datum, fragment, keyOf, need, root, said, table, targetOf } from "./talk.js";

const bodies = () => all(table, "tbody:has([data-shot])");
const orderNow = () => bodies().map(keyOf);
/** @type {string[]} */
let savedOrder = [];
let saving = false;

/** Puts the rows of this page in an order. @param {string[]} order */
const arrange = (order) => {
  const byKey = new Map(bodies().map((body) => [keyOf(body), body]));
  for (const key of order) {
    const body = byKey.get(key);
    if (body) table.append(body);
  }
};
const restripe = () => bodies().forEach((body, index) => {
  for (const name of ["bg-base-50", "dark:bg-white/[.02]"]) body.classList.toggle(name, index % 2 === 1);
});

/** @param {HTMLElement} grip */
const saveOrder = async (grip) => {
  const order = orderNow();
  if (order.join() === savedOrder.join()) return;
  const body = new FormData();
  /** @type {HTMLInputElement} */
  const token = need(document, "#changelist-form [name=csrfmiddlewaretoken]");
  body.set("csrfmiddlewaretoken", token.value);
  body.set("sequence", datum(root, "sequence"));
  for (const key of order) body.append("shots", key);
  for (const key of savedOrder) body.append("before", key);
  saving = true;
  root.classList.add("sf-busy");
  const answer = await ask(datum(root, "reorderUrl"), { method: "POST", body }, (words) => said(bad(words)));
  saving = false;
  root.classList.remove("sf-busy");
  const told = answer && fragment(await answer.text());
  for (const number of told ? all(told, "[data-order]") : []) {
    const rank = table.querySelector(`[data-shot="${datum(number, "key")}"]`);
    if (rank?.lastChild) rank.lastChild.textContent = datum(number, "order");
  }
  if (told) said(told);
  if (answer?.ok) savedOrder = order;
  else arrange(savedOrder);
  restripe();
  grip.focus();
};

/** @param {HTMLElement} grip @param {PointerEvent} start */
const drag = (grip, start) => {
  const body = /** @type {HTMLElement} */ (grip.closest("tbody"));
  start.preventDefault();
  body.classList.add("sf-dragged");
  /** @param {PointerEvent} event */
  const move = (event) => {
    const edge = 60;
    if (event.clientY < edge) window.scrollBy(0, -20);
    else if (event.clientY > window.innerHeight - edge) window.scrollBy(0, 20);
    const over = document.elementFromPoint(event.clientX, event.clientY)?.closest("#result_list tbody");
    if (!over || over === body) return;
    const after = body.compareDocumentPosition(over) & Node.DOCUMENT_POSITION_FOLLOWING;
    over[after ? "after" : "before"](body);
  };
  /** @param {Event} event */
  const end = (event) => {
    document.removeEventListener("pointermove", move);
    document.removeEventListener("keydown", escape, true);
    for (const name of ["pointerup", "pointercancel"]) document.removeEventListener(name, end);
    body.classList.remove("sf-dragged");
    if (event.type === "pointerup") saveOrder(grip);
    else arrange(savedOrder);
  };
  /** @param {KeyboardEvent} event */
  const escape = (event) => { if (event.key === "Escape") end(event); };
  /* The page hears the pointer, not the handle: whoever moves in the page loses what it had captured. */
  document.addEventListener("pointermove", move);
  document.addEventListener("keydown", escape, true);
  for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, end);
};

const handle = () => {
  const grip = document.createElement("button");
  grip.type = "button";
  grip.className = "sf-grip";
  grip.title = datum(root, "handle");
  grip.setAttribute("aria-label", datum(root, "handle"));
  const symbol = document.createElement("span");
  symbol.className = "material-symbols-outlined";
  symbol.setAttribute("aria-hidden", "true");
  symbol.textContent = "drag_indicator";
  grip.append(symbol);
  return grip;
};

/** @type {Partial<Record<string, number>>} */
const STEPS = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 };

export const ordering = () => {
  savedOrder = orderNow();
  for (const rank of all(table, "[data-shot]")) rank.prepend(handle());
  table.addEventListener("pointerdown", (event) => {
    /** @type {HTMLElement | null} */
    const grip = targetOf(event).closest(".sf-grip");
    if (grip && !saving && event.button === 0) drag(grip, event);
  });
  table.addEventListener("keydown", (event) => {
    /** @type {HTMLElement | null} */
    const grip = targetOf(event).closest(".sf-grip");
    const step = STEPS[event.key];
    const body = grip?.closest("tbody");
    if (!grip || !body || !step || saving) return;
    event.preventDefault();
    const rows = bodies();
    const other = rows[rows.indexOf(body) + step];
    if (!other) return;
    other[step < 0 ? "before" : "after"](body);
    saveOrder(grip);
  });
};
