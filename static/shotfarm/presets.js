/* The preset picker works as plain radio buttons and boxes. This adds a search over all categories, and chips of
   what is chosen at the top: a press on one takes it away. */
/** @param {HTMLElement} picker */
const enliven = (picker) => {
  /* What every picker has. */
  const need = (/** @type {string} */ name) => /** @type {HTMLElement} */ (picker.querySelector(name));
  const tools = need("[data-presets-tools]");
  const search = /** @type {HTMLInputElement} */ (need("[data-presets-search]"));
  const chosen = need("[data-presets-chosen]");
  const groups = [...picker.querySelectorAll("details")];
  /** @param {HTMLDetailsElement} group @returns {NodeListOf<HTMLLabelElement>} */
  const labelsOf = (group) => group.querySelectorAll("label[data-names]");
  /** @param {HTMLInputElement} input */
  const titleOf = (input) => input.nextSibling?.textContent?.trim() ?? "";

  /** @param {HTMLInputElement} input */
  const take = (input) => {
    /** @type {HTMLInputElement | null | undefined} */
    const none = input.type === "radio" ? input.closest("fieldset")?.querySelector('input[value=""]') : null;
    (none || input).checked = Boolean(none);
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const tell = () => {
    chosen.replaceChildren();
    for (const group of groups) {
      /** @type {NodeListOf<HTMLInputElement>} */
      const checked = group.querySelectorAll("input:checked");
      const picked = [...checked].filter((input) => input.value);
      const told = group.querySelector("[data-presets-of]");
      if (told) told.textContent = picked.map(titleOf).join(", ");
      for (const input of picked) {
        const chip = document.createElement("button");
        chip.type = "button";
        chip.className = "sf-chip sf-on";
        chip.textContent = `${titleOf(input)} ×`;
        chip.addEventListener("click", () => { take(input); search.focus(); });
        chosen.append(chip);
      }
    }
  };

  const find = () => {
    const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    for (const group of groups) {
      let found = 0;
      const inTitle = group.querySelector("summary")?.firstChild?.textContent?.toLowerCase() ?? "";
      for (const label of labelsOf(group)) {
        const fits = words.every((word) => label.dataset.names?.includes(word) || inTitle.includes(word));
        label.hidden = !fits;
        found += Number(fits);
      }
      group.hidden = words.length > 0 && !found;
      group.open = words.length ? found > 0 : group.querySelector("input:checked:not([value=''])") !== null;
    }
  };

  search.addEventListener("input", find);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault(); /* finds, and does not save the shot */
      const first = groups.flatMap((group) => (group.hidden ? [] : [...labelsOf(group)])).find((label) => !label.hidden);
      if (first && search.value.trim()) first.querySelector("input")?.focus();
    } else if (event.key === "Escape") {
      search.value = "";
      find();
    }
  });
  picker.addEventListener("change", tell);
  tools.hidden = false;
  tell();
};

/* The page's head asks for this before there is a picker. */
document.addEventListener("DOMContentLoaded", () => {
  /** @type {NodeListOf<HTMLElement>} */
  const pickers = document.querySelectorAll("[data-presets]");
  pickers.forEach(enliven);
});
