/* The list of shots: cells that open where they stand, rows that are put in order, clips that play in the gallery.
   What may be opened or moved stands in the page (data-cell, data-sequence); the farm asks again. */
const root = document.querySelector(".sf-list");
const table = document.querySelector("#result_list");

const said = (...parts) => root.querySelector(".sf-said").replaceChildren(...parts);
const bad = (words) => {
  const told = document.createElement("span");
  told.className = "sf-bad";
  told.textContent = words;
  return told;
};
const keyOf = (element) => element.closest("tbody").querySelector("[data-shot]").dataset.shot;

/* Asks the farm; null, and words for it, where there is no answer of its own. */
const ask = async (address, options, failed) => {
  try {
    const answer = await fetch(address, { credentials: "same-origin", ...options });
    const ours = !answer.redirected && (answer.headers.get("Content-Type") ?? "").startsWith("text/html");
    if (ours && (answer.ok || [400, 409].includes(answer.status))) return answer;
    const told = answer.status === 403 && !answer.redirected ? await answer.text() : "";
    if (told && !told.includes("<html")) return new Response(told, { status: 403 });
    failed(root.dataset.failed);
  } catch {
    failed(root.dataset.unreachable);
  }
  return null;
};
const fragment = (html) => {
  const made = document.createElement("template");
  made.innerHTML = html.trim();
  return made.content;
};

/* Cells */
const cells = () => [...table.querySelectorAll("[data-cell]")].filter((cell) => cell.offsetParent !== null);
let open = null; /* { cell, shown, busy } */

const focusOn = (cell) => {
  for (const other of table.querySelectorAll("[data-cell][tabindex='0']")) other.tabIndex = -1;
  cell.tabIndex = 0;
  cell.focus({ preventScroll: false });
};
const beside = (cell, step) => {
  const all = cells();
  return all[all.indexOf(cell) + step] ?? null;
};
const below = (cell, step) => {
  const column = cells().filter((other) => other.dataset.cell === cell.dataset.cell);
  return column[column.indexOf(cell) + step] ?? null;
};

/* The focus comes back to a cell, unless the person has gone on to something else. */
const comeBack = (cell) => { if (document.activeElement === document.body) focusOn(cell); };

const close = () => {
  if (!open || open.busy) return; /* what is on its way to the farm is waited for */
  const { cell, shown } = open;
  open = null;
  cell.classList.remove("sf-open");
  cell.setAttribute("role", "button");
  cell.replaceChildren(...shown);
  comeBack(cell);
};
const controlsOf = (form) => [...form.elements].filter((one) => one.name && one.type !== "hidden");

const enter = (form) => {
  const wrong = form.querySelector(".sf-bad + label, label:has(+ .sf-bad)");
  (wrong ?? form).querySelector(".sf-field")?.focus();
};
const fill = (cell, html) => {
  cell.replaceChildren(fragment(html));
  const form = cell.querySelector("form");
  for (const control of controlsOf(form)) control.was = control.value;
  enter(form);
  const first = form.querySelector("input.sf-field");
  if (first && first === document.activeElement) first.select();
};

const edit = async (cell) => {
  if (open?.cell === cell) return;
  if (open) {
    const form = open.cell.querySelector("form");
    if (form && "refused" in form.dataset) { /* to save over another's change takes its button, or Enter */
      enter(form);
      return;
    }
    const [key, name] = [keyOf(cell), cell.dataset.cell];
    if (!(await (open.saving ?? save()))) return;
    const drawn = table.querySelector(`tbody:has([data-shot="${key}"]) [data-cell="${name}"]`);
    if (drawn) edit(drawn); /* its row may have been drawn anew */
    return;
  }
  const mine = { cell, shown: [...cell.childNodes], busy: true };
  open = mine;
  const address = root.dataset.cellUrl.replace("KEY", keyOf(cell));
  const answer = await ask(`${address}?cell=${cell.dataset.cell}`, {}, (words) => { open = null; said(bad(words)); });
  if (!answer || open !== mine) return;
  cell.classList.add("sf-open");
  cell.removeAttribute("role");
  fill(cell, await answer.text());
  mine.busy = false;
};

/* Puts the cells of a row as the farm draws it now in the places of the old ones. */
const renew = (body, row) => {
  for (const fresh of row.querySelectorAll(":scope > [class*='field-']")) {
    const name = [...fresh.classList].find((one) => one.startsWith("field-"));
    const old = body.querySelector(`.${name}`);
    if (old && !["field-name", "field-picture", "field-rank"].includes(name)) old.replaceWith(fresh);
  }
  ready(body);
};

const goOn = (cell, step) => {
  const next = step ? beside(cell, step) : null;
  if (next) edit(next);
};

/* Saves what is open, if anything of it was changed, and opens the cell so many steps on; true where nothing is
   open any more. */
const save = async (step = 0) => {
  if (!open) return true;
  const { cell } = open;
  const form = cell.querySelector("form");
  if (open.busy || !form) return false;
  const controls = controlsOf(form);
  const changed = "refused" in form.dataset ? controls : controls.filter((one) => one.value !== one.was);
  if (!changed.length) {
    close();
    goOn(cell, step);
    return true;
  }
  const body = new FormData(form);
  for (const control of controls) if (!changed.includes(control)) body.delete(control.name);
  open.saving = send(open, form, body, step);
  return open.saving;
};

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
  mine.saving = null;
  form.inert = false;
  form.classList.remove("sf-busy");
  if (!answer) {
    if (document.activeElement === document.body) enter(form);
    return false;
  }
  const html = await answer.text();
  if (!answer.ok) {
    fill(cell, html);
    return false;
  }
  const row = fragment(html).firstElementChild;
  const tbody = cell.closest("tbody");
  const { cell: name } = cell.dataset;
  open = null;
  renew(tbody, row);
  const link = document.createElement("a");
  [link.className, link.href, link.textContent] = ["sf-link", row.dataset.history, root.dataset.history];
  said(row.dataset.said, " ", link);
  const again = tbody.querySelector(`[data-cell="${name}"]`);
  if (again) {
    comeBack(again);
    goOn(again, step);
  }
  return true;
};

/* Every cell that may be opened says so, and one of them is reached by Tab. */
const ready = (within) => {
  for (const cell of within.querySelectorAll("[data-cell]")) {
    cell.tabIndex = -1;
    cell.setAttribute("role", "button");
    cell.title ||= root.dataset.hint;
  }
  const first = table.querySelector("[data-cell]");
  if (first && !table.querySelector("[data-cell][tabindex='0']")) first.tabIndex = 0;
};

const editing = () => {
  ready(table);
  table.addEventListener("dblclick", (event) => {
    const cell = event.target.closest("[data-cell]") ?? event.target.closest("td")?.querySelector("[data-cell]");
    if (cell && !event.target.closest(".sf-edit, a, button, input")) {
      document.getSelection().removeAllRanges();
      edit(cell);
    }
  });
  table.addEventListener("click", (event) => { if (event.target.closest("[data-close]")) close(); });
  table.addEventListener("submit", (event) => { event.preventDefault(); save(); });
  table.addEventListener("focusout", (event) => {
    const form = event.target.closest(".sf-edit");
    if (form && event.relatedTarget && !form.contains(event.relatedTarget) && !("refused" in form.dataset)) save();
  });
  document.addEventListener("pointerdown", (event) => {
    const form = open?.cell.querySelector("form");
    if (form && !open.cell.contains(event.target) && !("refused" in form.dataset)) save();
  });
  table.addEventListener("keydown", keys);
  window.addEventListener("beforeunload", (event) => {
    const form = open?.cell.querySelector("form");
    if (form && (open.busy || controlsOf(form).some((one) => one.value !== one.was))) event.preventDefault();
  });
};

const keys = (event) => {
  if (event.isComposing || event.keyCode === 229) return; /* Enter ends a Korean syllable first; Safari says so with 229 */
  const form = event.target.closest(".sf-edit");
  if (form) {
    const controls = controlsOf(form);
    if (event.key === "Escape") {
      event.preventDefault();
      close();
    } else if (event.key === "Enter" && !event.shiftKey && event.target.tagName !== "BUTTON") {
      event.preventDefault();
      save();
    } else if (event.key === "Tab" && event.target.classList.contains("sf-field")) {
      const next = controls[controls.indexOf(event.target) + (event.shiftKey ? -1 : 1)];
      event.preventDefault();
      if (next) next.focus();
      else if ("refused" in form.dataset) form.querySelector(event.shiftKey ? "[data-close]" : "button").focus();
      else save(event.shiftKey ? -1 : 1);
    }
    return;
  }
  if (!event.target.matches("[data-cell]")) return;
  const ways = { ArrowRight: () => beside(event.target, 1), ArrowLeft: () => beside(event.target, -1),
    ArrowDown: () => below(event.target, 1), ArrowUp: () => below(event.target, -1) };
  if (event.key === "Enter" || event.key === "F2") {
    event.preventDefault();
    edit(event.target);
  } else if (event.key in ways && !event.altKey && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    const next = ways[event.key]();
    if (next) focusOn(next);
  }
};

/* Order */
const bodies = () => [...table.querySelectorAll("tbody:has([data-shot])")];
const orderNow = () => bodies().map(keyOf);
let savedOrder = [];
let savingOrder = false;

/* Puts the rows of this page in an order. */
const arrange = (order) => {
  const byKey = new Map(bodies().map((body) => [keyOf(body), body]));
  order.forEach((key) => table.append(byKey.get(key)));
};
const restripe = () => bodies().forEach((body, index) => {
  for (const name of ["bg-base-50", "dark:bg-white/[.02]"]) body.classList.toggle(name, index % 2 === 1);
});

const saveOrder = async (grip) => {
  const order = orderNow();
  if (order.join() === savedOrder.join()) return;
  const body = new FormData();
  body.set("csrfmiddlewaretoken", document.querySelector("#changelist-form [name=csrfmiddlewaretoken]").value);
  body.set("sequence", root.dataset.sequence);
  for (const key of order) body.append("shots", key);
  for (const key of savedOrder) body.append("before", key);
  savingOrder = true;
  root.classList.add("sf-busy");
  const answer = await ask(root.dataset.reorderUrl, { method: "POST", body }, (words) => said(bad(words)));
  savingOrder = false;
  root.classList.remove("sf-busy");
  const told = answer && fragment(await answer.text());
  for (const number of told?.querySelectorAll("[data-order]") ?? []) {
    const rank = table.querySelector(`[data-shot="${number.dataset.key}"]`);
    if (rank) rank.lastChild.textContent = number.dataset.order;
  }
  if (told) said(told);
  if (answer?.ok) savedOrder = order;
  else arrange(savedOrder);
  restripe();
  grip.focus();
};

const ordering = () => {
  savedOrder = orderNow();
  for (const rank of table.querySelectorAll("[data-shot]")) {
    const grip = document.createElement("button");
    grip.type = "button";
    grip.className = "sf-grip";
    grip.title = root.dataset.handle;
    grip.setAttribute("aria-label", root.dataset.handle);
    const symbol = document.createElement("span");
    symbol.className = "material-symbols-outlined";
    symbol.setAttribute("aria-hidden", "true");
    symbol.textContent = "drag_indicator";
    grip.append(symbol);
    rank.prepend(grip);
  }
  table.addEventListener("pointerdown", (event) => {
    const grip = event.target.closest(".sf-grip");
    if (grip && !savingOrder && event.button === 0) drag(grip, event);
  });
  table.addEventListener("keydown", (event) => {
    const grip = event.target.closest(".sf-grip");
    const step = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key];
    if (!grip || !step || savingOrder) return;
    event.preventDefault();
    const body = grip.closest("tbody");
    const all = bodies();
    const other = all[all.indexOf(body) + step];
    if (!other) return;
    other[step < 0 ? "before" : "after"](body);
    saveOrder(grip);
  });
};

const drag = (grip, start) => {
  const body = grip.closest("tbody");
  start.preventDefault();
  body.classList.add("sf-dragged");
  const move = (event) => {
    const edge = 60;
    if (event.clientY < edge) window.scrollBy(0, -20);
    else if (event.clientY > window.innerHeight - edge) window.scrollBy(0, 20);
    const over = document.elementFromPoint(event.clientX, event.clientY)?.closest("#result_list tbody");
    if (!over || over === body) return;
    const after = body.compareDocumentPosition(over) & Node.DOCUMENT_POSITION_FOLLOWING;
    over[after ? "after" : "before"](body);
  };
  const end = (event) => {
    document.removeEventListener("pointermove", move);
    document.removeEventListener("keydown", escape, true);
    for (const name of ["pointerup", "pointercancel"]) document.removeEventListener(name, end);
    body.classList.remove("sf-dragged");
    if (event.type === "pointerup") saveOrder(grip);
    else arrange(savedOrder);
  };
  const escape = (event) => { if (event.key === "Escape") end(event); };
  /* The page hears the pointer, not the handle: whoever moves in the page loses what it had captured. */
  document.addEventListener("pointermove", move);
  document.addEventListener("keydown", escape, true);
  for (const name of ["pointerup", "pointercancel"]) document.addEventListener(name, end);
};

/* Gallery: a clip plays while the pointer is on its picture, or its link has the focus. */
const play = (holder) => {
  if (holder.querySelector("video")) return;
  const video = document.createElement("video");
  Object.assign(video, { src: holder.dataset.clip, muted: true, loop: true, playsInline: true });
  video.className = "sf-thumb";
  holder.append(video);
  video.play().catch(() => video.remove()); /* the pointer was gone before it began */
};
const stop = (holder) => {
  const video = holder.querySelector("video");
  if (!video) return;
  video.pause();
  video.removeAttribute("src");
  video.load(); /* lets go of the file */
  video.remove();
};
const playing = () => {
  for (const holder of table.querySelectorAll("[data-clip]")) {
    const link = holder.closest("a") ?? holder;
    link.addEventListener("pointerenter", () => play(holder));
    link.addEventListener("pointerleave", () => stop(holder));
    link.addEventListener("focus", () => play(holder));
    link.addEventListener("blur", () => stop(holder));
  }
};

if (root && table) {
  editing();
  if (root.dataset.sequence) ordering();
  if (root.classList.contains("sf-gallery")) playing();
}
