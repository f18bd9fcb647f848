/* Cells of the list open where they stand. What may be opened stands in the page (data-cell); the farm asks again. */

import { Chips } from "./chips.js";
import { all, ask, bad, composing, datum, fragment, keyOf, need, root, said, table, targetOf } from "./talk.js";

/**
 * @typedef {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} Control
 * @typedef {{cell: HTMLElement, shown: Node[], busy: boolean, saving: Promise<boolean> | null, was: Map<Control, string>,
 *            chips: Chips | null}} Open
 */

/** @type {Open | null} the one that is open */
let open = null;

/** Everything that is read here is read after an answer, too, when another may be open. @returns {Open | null} */
const openNow = () => open;

const cells = () => all(table, "[data-cell]").filter((cell) => cell.offsetParent !== null);
/** @param {Element} cell @returns {HTMLFormElement | null} */
const formOf = (cell) => cell.querySelector("form");
/** What the farm refused stands there until a button, or Enter, decides. @param {HTMLElement} form */
const refused = (form) => "refused" in form.dataset;

/** @param {HTMLElement} cell */
const focusOn = (cell) => {
  for (const other of all(table, "[data-cell][tabindex='0']")) other.tabIndex = -1;
  cell.tabIndex = 0;
  cell.focus({ preventScroll: false });
};
/** @param {HTMLElement} cell @param {number} step */
const beside = (cell, step) => {
  const there = cells();
  return there[there.indexOf(cell) + step] ?? null;
};
/** @param {HTMLElement} cell @param {number} step */
const below = (cell, step) => {
  const column = cells().filter((other) => other.dataset.cell === cell.dataset.cell);
  return column[column.indexOf(cell) + step] ?? null;
};

/** The focus comes back to a cell, unless the person has gone on to something else. @param {HTMLElement} cell */
const comeBack = (cell) => { if (document.activeElement === document.body) focusOn(cell); };

const close = () => {
  if (!open || open.busy) return; /* what is on its way to the farm is waited for */
  const { cell, shown } = open;
  const theirs = formOf(cell)?.dataset.refused === "stale";
  open = null;
  cell.classList.remove("sf-open");
  cell.setAttribute("role", "button");
  cell.replaceChildren(...shown);
  comeBack(cell);
  if (theirs) refresh(cell); /* what it said when it was opened is not so any more */
};

/** @param {HTMLElement} cell */
const addressOf = (cell) => `${datum(root, "cellUrl").replace("KEY", keyOf(cell))}?cell=${datum(cell, "cell")}`;

/** @param {HTMLElement} cell */
const refresh = async (cell) => {
  const answer = await ask(`${addressOf(cell)}&row=1`, {}, (words) => said(bad(words)));
  const html = answer?.ok ? await answer.text() : "";
  const body = cell.closest("tbody");
  const row = fragment(html).firstElementChild;
  if (!row || !body || openNow()?.cell.closest("tbody") === body) return;
  const focused = document.activeElement === cell;
  renew(body, row);
  const again = body.querySelector(`[data-cell="${datum(cell, "cell")}"]`);
  if (focused && again instanceof HTMLElement) focusOn(again);
};

/** @param {HTMLFormElement} form */
const controlsOf = (form) =>
  /** @type {Control[]} */ ([...form.elements]).filter((one) => one.name && one.type !== "hidden");

/** @param {HTMLElement} form */
const enter = (form) => {
  const wrong = form.querySelector(".sf-bad + label, label:has(+ .sf-bad)");
  /** @type {HTMLElement | null} */
  const field = (wrong ?? form).querySelector(".sf-field");
  field?.focus();
};

/** @param {Open} mine @param {string} html */
const fill = (mine, html) => {
  mine.cell.replaceChildren(fragment(html));
  /** @type {HTMLFormElement} */
  const form = need(mine.cell, "form");
  mine.was = new Map(controlsOf(form).map((control) => [control, control.value]));
  /** @type {HTMLElement | null} */
  const picks = form.querySelector("[data-picks]");
  mine.chips = picks && new Chips(picks, datum(mine.cell, "cell"));
  enter(form);
  form.scrollIntoView({ block: "nearest", inline: "nearest" }); /* the last columns stand at the edge of the page */
  /** @type {HTMLInputElement | null} */
  const first = form.querySelector("input.sf-field");
  if (first && first === document.activeElement) first.select();
};

/** The controls that say something else than when the cell was opened. @param {Open} mine @param {HTMLFormElement} form */
const changedIn = (mine, form) => controlsOf(form).filter((control) => control.value !== mine.was.get(control));

/** @param {HTMLElement} cell */
const edit = async (cell) => {
  if (open?.cell === cell) return;
  if (open) {
    const form = formOf(open.cell);
    if (form && refused(form)) { /* to save over another's change takes its button, or Enter */
      enter(form);
      return;
    }
    const [key, name] = [keyOf(cell), datum(cell, "cell")];
    if (!(await save())) return;
    const drawn = table.querySelector(`tbody:has([data-shot="${key}"]) [data-cell="${name}"]`);
    if (drawn instanceof HTMLElement) edit(drawn); /* its row may have been drawn anew */
    return;
  }
  /** @type {Open} */
  const mine = { cell, shown: [...cell.childNodes], busy: true, saving: null, was: new Map(), chips: null };
  open = mine;
  const answer = await ask(addressOf(cell), {}, (words) => said(bad(words)));
  if (openNow() !== mine) return;
  if (!answer?.ok) {
    if (answer) said(bad(await answer.text()));
    open = null;
    return;
  }
  cell.classList.add("sf-open");
  cell.removeAttribute("role");
  fill(mine, await answer.text());
  mine.busy = false;
};

/** Puts the cells of a row as the farm draws it now in the places of the old ones. @param {Element} body @param {Element} row */
const renew = (body, row) => {
  for (const fresh of row.querySelectorAll(":scope > [class*='field-']")) {
    const name = [...fresh.classList].find((one) => one.startsWith("field-")) ?? "";
    const old = body.querySelector(`.${name}`);
    if (old && !["field-name", "field-picture", "field-rank"].includes(name)) old.replaceWith(fresh);
  }
  ready(body);
};

/** @param {HTMLElement} cell @param {number} step */
const goOn = (cell, step) => {
  const next = step ? beside(cell, step) : null;
  if (next) edit(next);
};

/**
 * Saves what is open, if anything of it was changed, and opens the cell so many steps on.
 * @param {number} [step] @returns {Promise<boolean>} whether nothing is open any more
 */
const save = async (step = 0) => {
  if (!open) return true;
  if (open.saving) return open.saving;
  const mine = open;
  const form = formOf(mine.cell);
  if (mine.busy || !form) return false;
  mine.saving = saveNow(mine, form, step);
  const saved = await mine.saving;
  mine.saving = null;
  return saved;
};

/** @param {Open} mine @param {HTMLFormElement} form @param {number} step */
const saveNow = async (mine, form, step) => {
  if (await mine.chips?.warned()) return false; /* what breaks a rule is read before it is saved */
  if (openNow() !== mine) return true;
  const changed = refused(form) ? controlsOf(form) : changedIn(mine, form);
  if (!changed.length && !mine.chips?.changed() && !(mine.chips && refused(form))) {
    close();
    goOn(mine.cell, step);
    return true;
  }
  const body = new FormData(form);
  for (const control of controlsOf(form)) if (!changed.includes(control)) body.delete(control.name);
  return send(mine, form, body, step);
};

/** @param {Open} mine @param {HTMLFormElement} form @param {FormData} body @param {number} step */
const send = async (mine, form, body, step) => {
  const { cell } = mine;
  mine.busy = true;
  form.inert = true; /* what would be typed now would not be sent */
  form.classList.add("sf-busy");
  const answer = await ask(form.action, { method: "POST", body }, (words) => {
    form.querySelector(".sf-unsent")?.remove();
    const told = bad(words);
    told.classList.add("sf-unsent");
    form.prepend(told);
  });
  mine.busy = false;
  form.inert = false;
  form.classList.remove("sf-busy");
  if (!answer) {
    if (document.activeElement === document.body) enter(form);
    return false;
  }
  const html = await answer.text();
  if (!answer.ok) {
    fill(mine, html);
    return false;
  }
  const row = need(fragment(html), "[data-history]");
  const place = /** @type {Element} */ (cell.closest("tbody"));
  open = null;
  renew(place, row);
  const link = document.createElement("a");
  [link.className, link.href, link.textContent] = ["sf-link", datum(row, "history"), datum(root, "history")];
  said(datum(row, "said"), " ", link);
  const again = place.querySelector(`[data-cell="${datum(cell, "cell")}"]`);
  if (again instanceof HTMLElement) {
    comeBack(again);
    goOn(again, step);
  }
  return true;
};

/** Every cell that may be opened says so, and one of them is reached by Tab. @param {ParentNode} within */
const ready = (within) => {
  for (const cell of all(within, "[data-cell]")) {
    cell.tabIndex = -1;
    cell.setAttribute("role", "button");
    cell.title ||= datum(root, "hint");
  }
  /** @type {HTMLElement | null} */
  const first = table.querySelector("[data-cell]");
  if (first && !table.querySelector("[data-cell][tabindex='0']")) first.tabIndex = 0;
};

/** @param {KeyboardEvent} event @param {HTMLFormElement} form */
const keysIn = (event, form) => {
  const target = targetOf(event);
  if (event.key === "Escape") {
    event.preventDefault();
    close();
  } else if (event.key === "Enter" && !event.shiftKey && target.tagName !== "BUTTON") {
    event.preventDefault();
    save();
  } else if (event.key === "Tab" && target.classList.contains("sf-field")) {
    const controls = controlsOf(form);
    const at = controls.findIndex((one) => one === target);
    const next = at < 0 ? undefined : controls[at + (event.shiftKey ? -1 : 1)];
    event.preventDefault();
    if (next) next.focus();
    else if (refused(form)) need(form, event.shiftKey ? "[data-close]" : "[type=submit]").focus();
    else save(event.shiftKey ? -1 : 1);
  }
};

/** @param {KeyboardEvent} event */
const keys = (event) => {
  if (composing(event)) return;
  const cell = targetOf(event);
  /** @type {HTMLFormElement | null} */
  const form = cell.closest(".sf-edit");
  if (form) keysIn(event, form);
  if (form || !cell.matches("[data-cell]")) return;
  /** @type {Record<string, () => HTMLElement | null>} */
  const ways = { ArrowRight: () => beside(cell, 1), ArrowLeft: () => beside(cell, -1),
    ArrowDown: () => below(cell, 1), ArrowUp: () => below(cell, -1) };
  if (event.key === "Enter" || event.key === "F2") {
    event.preventDefault();
    edit(cell);
  } else if (event.key in ways && !event.altKey && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    const next = ways[event.key]();
    if (next) focusOn(next);
  }
};

export const editing = () => {
  ready(table);
  table.addEventListener("dblclick", (event) => {
    const target = targetOf(event);
    /** @type {HTMLElement | null | undefined} */
    const cell = target.closest("[data-cell]") ?? target.closest("td")?.querySelector("[data-cell]");
    if (cell && !target.closest(".sf-edit, a, button, input")) {
      document.getSelection()?.removeAllRanges();
      edit(cell);
    }
  });
  table.addEventListener("click", (event) => { if (targetOf(event).closest("[data-close]")) close(); });
  table.addEventListener("submit", (event) => { event.preventDefault(); save(); });
  table.addEventListener("focusout", (event) => {
    /** @type {HTMLElement | null} */
    const form = targetOf(event).closest(".sf-edit");
    const next = /** @type {Node | null} */ (event.relatedTarget);
    if (form && next && !form.contains(next) && !refused(form)) save();
  });
  document.addEventListener("pointerdown", (event) => {
    const form = open && formOf(open.cell);
    if (form && !open?.cell.contains(targetOf(event)) && !refused(form)) save();
  });
  table.addEventListener("keydown", keys);
  window.addEventListener("beforeunload", (event) => {
    const form = open && formOf(open.cell);
    if (open && form && (open.busy || open.chips?.changed() || changedIn(open, form).length)) event.preventDefault();
  });
};
