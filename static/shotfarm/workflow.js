/* Import and wizard: both work without this. */

/* A file dropped anywhere on the form is sent at once. */
/** @param {string} name @returns {NodeListOf<HTMLFormElement>} */
const forms = (name) => document.querySelectorAll(name);

for (const form of forms("form[data-drop]")) {
  const file = /** @type {HTMLInputElement} */ (form.querySelector("input[type=file]"));
  const zone = form.querySelector(".sf-drop");
  for (const [name, over] of Object.entries({ dragenter: true, dragover: true, dragleave: false, drop: false })) {
    form.addEventListener(name, (event) => {
      event.preventDefault();
      zone?.classList.toggle("sf-over", over);
    });
  }
  form.addEventListener("drop", (event) => {
    if (event.dataTransfer?.files.length) {
      file.files = event.dataTransfer.files;
      form.requestSubmit();
    }
  });
}

/* The picture and the rows point at each other. */
/** @typedef {[node: string, input: string]} Place */

for (const form of forms("form[data-wizard]")) {
  const graph = /** @type {HTMLElement} */ (form.querySelector(".sf-graph"));
  /** @type {HTMLSelectElement[]} */
  const targets = [...form.querySelectorAll(/** @type {"select"} */ (".sf-role select[name^='t.']"))];
  /** @type {HTMLSelectElement | null} */
  let atHand = null;

  /** @param {HTMLSelectElement} select @returns {Place | null} */
  const placeOf = (select) => {
    try {
      return JSON.parse(select.value);
    } catch {
      return null;
    }
  };
  /** @param {string} name @returns {SVGElement[]} */
  const drawn = (name) => [...graph.querySelectorAll(/** @type {"g"} */ (name))];
  /** @param {Place | null} place */
  const inPicture = (place) => place && drawn("[data-input]").find(
    (input) => input.dataset.node === place[0] && input.dataset.input === place[1],
  );
  /** @param {HTMLSelectElement} select */
  const light = (select) => {
    graph.querySelectorAll(".sf-lit").forEach((lit) => lit.classList.remove("sf-lit"));
    form.querySelectorAll(".sf-role.sf-lit").forEach((lit) => lit.classList.remove("sf-lit"));
    select.closest(".sf-role")?.classList.add("sf-lit");
    const input = inPicture(placeOf(select));
    if (input) {
      input.classList.add("sf-lit");
      const box = input.getBoundingClientRect();
      const frame = graph.getBoundingClientRect();
      graph.scrollBy({
        left: box.left - frame.left - frame.width / 3,
        top: box.top - frame.top - frame.height / 3,
        behavior: "smooth",
      });
    }
  };

  /* Of a large graph not every input is offered; the picture has them all. */
  /** @param {HTMLSelectElement} select @param {string | undefined} node @param {string} input */
  const offer = (select, node, input) => {
    const option = new Option(`${node} · ${input}`, JSON.stringify([node, input]));
    select.add(option);
    return option;
  };

  /* What goes with a role that may be left out: what is ticked, and the row that is pointed at. */
  /** @type {HTMLElement[]} */
  const absences = [...form.querySelectorAll(/** @type {"div"} */ (".sf-absence[data-goes]"))];
  /** @param {HTMLElement} row */
  const ticked = (row) => row.querySelector(/** @type {"input"} */ ("input[type=checkbox]"))?.checked;
  /** @param {HTMLElement | null} pointed */
  const dash = (pointed) => {
    const going = new Set(absences
      .filter((row) => row === pointed || ticked(row))
      .flatMap((row) => JSON.parse(row.dataset.goes ?? "[]")));
    for (const node of drawn("g.node")) {
      node.classList.toggle("going", going.has(node.dataset.node));
    }
  };
  for (const row of absences) {
    for (const name of ["mouseenter", "focusin", "change"]) row.addEventListener(name, () => dash(row));
    for (const name of ["mouseleave", "focusout"]) row.addEventListener(name, () => dash(null));
  }

  for (const select of targets) {
    select.addEventListener("focus", () => { atHand = select; light(select); });
    select.addEventListener("change", () => light(select));
  }
  graph.addEventListener("click", (event) => {
    /** @type {SVGElement | null} */
    const element = event.target instanceof Element ? event.target.closest("[data-input], [data-node]") : null;
    if (!element) return;
    const { node, input } = element.dataset;
    const bound = targets.find((select) => {
      const place = placeOf(select);
      return place && place[0] === node && (!input || place[1] === input);
    });
    const same = (/** @type {HTMLOptionElement} */ option) => option.value && JSON.parse(option.value)[0] === node
      && (!input || JSON.parse(option.value)[1] === input);
    const wanted = atHand && ([...atHand.options].find(same) ?? (input && offer(atHand, node, input)));
    if (bound && bound !== atHand) {
      bound.focus();
      bound.scrollIntoView({ block: "center", behavior: "smooth" });
    } else if (atHand && wanted) {
      atHand.value = wanted.value;
      atHand.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
}
