/* The preset picker works as plain radio buttons and boxes. This adds a search over all categories, and chips of
   what is chosen at the top: a press on one takes it away. */
const enliven = (picker) => {
  const tools = picker.querySelector("[data-presets-tools]");
  const search = picker.querySelector("[data-presets-search]");
  const chosen = picker.querySelector("[data-presets-chosen]");
  const groups = [...picker.querySelectorAll("details")];
  const titleOf = (label) => label.firstElementChild.nextSibling.textContent.trim();

  const take = (input) => {
    const none = input.type === "radio" && input.closest("fieldset").querySelector('input[value=""]');
    (none || input).checked = Boolean(none);
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };

  const tell = () => {
    chosen.replaceChildren();
    for (const group of groups) {
      const picked = [...group.querySelectorAll("input:checked")].filter((input) => input.value);
      group.querySelector("[data-presets-of]").textContent = picked.map((input) => titleOf(input.parentElement)).join(", ");
      for (const input of picked) {
        const chip = document.createElement("button");
        chip.type = "button";
        chip.className = "sf-chip sf-on";
        chip.textContent = `${titleOf(input.parentElement)} ×`;
        chip.addEventListener("click", () => { take(input); search.focus(); });
        chosen.append(chip);
      }
    }
  };

  const find = () => {
    const words = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    for (const group of groups) {
      let found = 0;
      const inTitle = group.querySelector("summary").firstChild.textContent.toLowerCase();
      for (const label of group.querySelectorAll("label[data-names]")) {
        const fits = words.every((word) => label.dataset.names.includes(word) || inTitle.includes(word));
        label.hidden = !fits;
        found += fits;
      }
      group.hidden = words.length > 0 && !found;
      group.open = words.length ? found > 0 : group.querySelector("input:checked:not([value=''])") !== null;
    }
  };

  search.addEventListener("input", find);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault(); /* finds, and does not save the shot */
      const first = groups.flatMap((group) => (group.hidden ? [] : [...group.querySelectorAll("label[data-names]")]))
        .find((label) => !label.hidden);
      if (first && search.value.trim()) first.firstElementChild.focus();
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
  document.querySelectorAll("[data-presets]").forEach(enliven);
});
