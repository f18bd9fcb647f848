/* Nothing of ours needs htmx to compile strings or to write a style into the page: the content security
   policy allows neither. */
htmx.config.allowEval = false;
htmx.config.includeIndicatorStyles = false;

/* Dark unless the person has chosen otherwise. Runs before Alpine reads the choice. */
if (localStorage.getItem("adminTheme") === null) {
  localStorage.setItem("adminTheme", JSON.stringify("dark"));
}

/* The live cells of rows that are not on this page are no error worth a console line. */
document.addEventListener("htmx:oobErrorNoTarget", (event) => event.preventDefault());

/* A part of a page that is drawn again every few seconds leaves what a person is about alone: it waits while a
   button is held down or text is selected in it, and gives the focus back to the same button. */
let pressed = false;
for (const [name, down] of Object.entries({ pointerdown: true, pointerup: false, pointercancel: false })) {
  document.addEventListener(name, () => { pressed = down; }, true);
}
window.addEventListener("blur", () => { pressed = false; });

/** @param {Element} element a link or a button */
const signOf = (element) => {
  const button = element instanceof HTMLButtonElement ? element : null;
  return [element.tagName, element.getAttribute("formaction"), element.getAttribute("href"),
    button?.form?.getAttribute("action"), button?.name, button?.value].join(" ");
};
/** @type {string | null} */
let focused = null;

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target } = event.detail;
  const selection = document.getSelection();
  const reading = selection && !selection.isCollapsed && target.contains(selection.anchorNode);
  if (event.detail.requestConfig.verb === "get" && (pressed || reading)) {
    event.detail.shouldSwap = false;
    return;
  }
  const active = document.activeElement;
  focused = active && !active.id && active.matches("a, button") && target.contains(active) ? signOf(active) : null;
});
document.addEventListener("htmx:afterSettle", () => {
  if (focused !== null && document.activeElement === document.body) {
    /** @type {NodeListOf<HTMLElement>} */
    const all = document.querySelectorAll("a, button");
    const same = [...all].find((element) => signOf(element) === focused);
    if (same) same.focus({ preventScroll: true });
  }
  focused = null;
});

/* What was refused is shown, not looked for: forms begin far below what stands above them. */
document.addEventListener("DOMContentLoaded", () => {
  const told = document.querySelector("#meanwhile, .errornote");
  if (told) told.scrollIntoView({ block: "start" });
});

/* A button that copies a path. Without a secure page there is no clipboard: the path beside it is selected then. */
document.addEventListener("click", async (event) => {
  /** @type {HTMLButtonElement | null} */
  const button = event.target instanceof Element ? event.target.closest("button[data-copy]") : null;
  if (!button) return;
  const label = button.textContent;
  const beside = button.parentElement?.querySelector("input");
  if (beside) beside.select();
  if (navigator.clipboard) await navigator.clipboard.writeText(button.dataset.copy ?? "");
  else if (!document.execCommand("copy")) return;
  button.textContent = button.dataset.copied ?? label;
  window.setTimeout(() => { button.textContent = label; }, 1200);
});

/* The theme writes the name of a chosen file into the first text field nearby, which is that of its own widget, and of
   a bare field somebody else's: the reason of a pause. */
document.addEventListener("change", (event) => {
  if (event.target instanceof Element && event.target.matches("input[type=file].sf-input")) event.stopPropagation();
}, true);

/* Whoever writes a value for many shots wants it set. */
document.addEventListener("input", (event) => {
  const field = event.target instanceof Element ? event.target : null;
  /** @type {HTMLInputElement | null | undefined} */
  const tick = field?.closest("tr")?.querySelector("input[name=set]");
  if (tick && tick !== field) tick.checked = true;
});

/* Hand the CSRF token to htmx requests that change something. */
document.addEventListener("htmx:configRequest", (event) => {
  /** @type {HTMLInputElement | null} */
  const token = document.querySelector("input[name=csrfmiddlewaretoken]");
  if (token && event.detail.verb !== "get") {
    event.detail.headers["X-CSRFToken"] = token.value;
  }
});
