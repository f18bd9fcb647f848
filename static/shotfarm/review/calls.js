/* Questions and answers: JSON, with the page's own proof that it is ours. */

/** What the farm refused, in its words; "told" is all it said. */
export class NotDone extends Error {
  /** @param {string} words @param {any} [told] */
  constructor(words, told) {
    super(words);
    this.told = told;
  }
}

/**
 * @param {string} method
 * @param {string} url
 * @param {object} [body]
 * @returns {Promise<any>} null where the answer is empty
 */
export async function call(method, url, body) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  const token = document.querySelector("input[name=csrfmiddlewaretoken]");
  if (method !== "GET" && token instanceof HTMLInputElement) headers["X-CSRFToken"] = token.value;
  if (body) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(url, { method, headers, body: body && JSON.stringify(body), credentials: "same-origin" });
  } catch {
    throw new NotDone(document.documentElement.lang.startsWith("ko") ? "서버에 닿지 않습니다." : "The farm cannot be reached.");
  }
  if (answer.status === 204) return null;
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new NotDone(wordsOf(told) || `${answer.status} ${answer.statusText}`, told);
  return told;
}

/** @param {any} problem of the API @returns {string} */
function wordsOf(problem) {
  const each = (problem.errors ?? []).map((/** @type {any} */ error) => error.message);
  return [...new Set(each)].join(" ") || problem.detail || "";
}
