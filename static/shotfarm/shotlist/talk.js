/* What the scripts of the list share: the list itself, what it says, and how the farm is asked. */

/** @type {HTMLElement} the list; where a page has none, nothing below is called */
export const root = /** @type {any} */ (document.querySelector(".sf-list"));
/** @type {HTMLElement} its table, which an empty list has not */
export const table = /** @type {any} */ (document.querySelector("#result_list"));

/**
 * One element that the page is known to have there.
 * @template {Element} [Kind=HTMLElement] @param {ParentNode} within @param {string} selector @returns {Kind}
 */
export const need = (within, selector) => /** @type {any} */ (within.querySelector(selector));

/**
 * All elements of one kind.
 * @template {Element} [Kind=HTMLElement] @param {ParentNode} within @param {string} selector @returns {Kind[]}
 */
export const all = (within, selector) => /** @type {any} */ ([...within.querySelectorAll(selector)]);

/** The element that something happened to. @param {Event} event */
export const targetOf = (event) => /** @type {HTMLElement} */ (event.target);

/** What a list's data-NAME says; "" for none. @param {HTMLElement} element @param {string} name */
export const datum = (element, name) => element.dataset[name] ?? "";

/** @param {...(Node | string)} parts */
export const said = (...parts) => need(root, ".sf-said").replaceChildren(...parts);

/** @param {string} words */
export const bad = (words) => {
  const told = document.createElement("span");
  told.className = "sf-bad";
  told.textContent = words;
  return told;
};

/** The key of the shot whose row holds an element. @param {Element} element @returns {string} */
export const keyOf = (element) => datum(need(/** @type {Element} */ (element.closest("tbody")), "[data-shot]"), "shot");

/** What Enter, a letter, or any other key means is still the keyboard's: it ends a Korean syllable first (Safari says
 * so with 229). @param {KeyboardEvent} event */
export const composing = (event) => event.isComposing || event.keyCode === 229;

/**
 * Asks the farm; null, and words for it, where there is no answer of its own.
 * @param {string} address @param {RequestInit} options @param {(words: string) => void} failed
 * @returns {Promise<Response | null>}
 */
export const ask = async (address, options, failed) => {
  try {
    const answer = await fetch(address, { credentials: "same-origin", ...options });
    const ours = !answer.redirected && (answer.headers.get("Content-Type") ?? "").startsWith("text/html");
    if (ours && (answer.ok || [400, 409].includes(answer.status))) return answer;
    const told = answer.status === 403 && !answer.redirected ? await answer.text() : "";
    if (told && !told.includes("<html")) return new Response(told, { status: 403 });
    failed(datum(root, "failed"));
  } catch (broken) {
    if (options.signal?.aborted) return null;
    failed(datum(root, "unreachable"));
  }
  return null;
};

/** @param {string} html */
export const fragment = (html) => {
  const made = document.createElement("template");
  made.innerHTML = html.trim();
  return made.content;
};
