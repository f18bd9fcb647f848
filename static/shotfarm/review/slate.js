/* What is shown, in words: on the pictures, in the strip, and what may be decided about it. */

/** @typedef {import("./viewer.js").Item} Item */

/** @param {HTMLElement} root @param {Item[]} items @param {number} a @param {number|null} b */
export function describe(root, items, a, b) {
  for (const [side, item] of /** @type {const} */ ([["a", items[a]], ["b", b === null ? null : items[b]]])) {
    for (const about of root.querySelectorAll(`[data-about=${side}]`)) name(/** @type {HTMLElement} */ (about), item);
  }
  for (const tile of root.querySelectorAll("[data-item]")) {
    if (!(tile instanceof HTMLElement)) continue;
    const index = Number(tile.dataset.item);
    tile.classList.toggle("sf-is-a", index === a);
    tile.classList.toggle("sf-is-b", index === b);
    if (items[index]) judge(tile, items[index]);
  }
  for (const deed of ["approve", "retake", "reject", "select"]) {
    const button = root.querySelector(`[data-act=${deed}]`);
    if (button instanceof HTMLButtonElement) button.disabled = !items[a]?.may.review;
  }
  root.querySelector(".sf-is-a")?.scrollIntoView({ block: "nearest", inline: "nearest" });
  const place = root.querySelector("[data-put=place]");
  if (place) place.textContent = `${a + 1} / ${items.length}`;
}

/** @param {HTMLElement} about @param {Item|null|undefined} item */
function name(about, item) {
  about.hidden = !item;
  if (!item) return;
  const code = about.querySelector("[data-code]");
  const what = about.querySelector("[data-what]");
  if (code) code.textContent = item.code;
  if (what) what.textContent = item.what;
  judge(about, item);
  const link = about.querySelector("a[data-page]");
  if (link instanceof HTMLAnchorElement && item.page) link.href = item.page;
}

/** Its verdict, and whether it is selected. @param {HTMLElement} about @param {Item} item */
function judge(about, item) {
  const verdict = about.querySelector("[data-verdict]");
  if (verdict instanceof HTMLElement) {
    verdict.textContent = item.verdict_label;
    verdict.dataset.verdict = item.verdict;
  }
  const star = about.querySelector("[data-star]");
  if (star instanceof HTMLElement) star.hidden = !item.selected;
}
