/* Unfold's pages with Alpine's CSP build (docs/adr/0019).

   That build reads its attributes itself in place of compiling them, so that no page needs 'unsafe-eval'. It knows
   single expressions over what a component offers, and no globals. Unfold writes a few attributes beyond that: they
   are put into other words here, after the page is read and before Alpine looks at it. */
const sidebar = "sidebarDesktopOpen";

document.addEventListener("alpine:init", () => {
  for (const component of [theme, searchForm, searchDropdown, searchCommand]) {
    Alpine.data(component.name, component);
  }
  Alpine.data("page", (/** @type {string} */ activeTab) => /** @type {ThisType<AlpineComponent & Record<string, any>>} */ ({
    activeTab,
    sidebarMobileOpen: false,
    sidebarDesktopOpen: localStorage.getItem(sidebar) !== "0",
    init() {
      this.activeTab = getCurrentTab() || activeTab;
      this.$watch(sidebar, (/** @type {boolean} */ open) => localStorage.setItem(sidebar, open ? "1" : "0"));
    },
    get address() {
      const tab = this.activeTab && this.activeTab !== "general" ? `#${this.activeTab}` : "";
      return window.location.pathname + window.location.search + tab;
    },
    /** @param {HTMLAnchorElement} link */
    follow(link) {
      window.location.href = link.href + window.location.hash;
    },
  }));

  /* The tab that is open at first stands in the attribute itself. */
  const tab = /activeTab: '([^']*)'/.exec(document.body.getAttribute("x-data") ?? "")?.[1] ?? "";
  document.body.setAttribute("x-data", `page('${tab}')`);
  document.body.removeAttribute("x-init");

  say("x-on:click", (text) => text.startsWith(`${sidebar} = !`), `${sidebar} = !${sidebar}`);
  say("x-bind:action", (text) => text.includes("window.location"), "address");
  say("x-on:click.prevent", (text) => text.startsWith("window.location.href = $el.href"), "follow($el)");
  say(
    "x-on:keydown.enter.prevent",
    (text) => text.startsWith("if ("),
    "$event.metaKey || $event.ctrlKey || selectItem(false, false)",
  );
});

/**
 * Give an attribute these words wherever it has the old ones.
 *
 * @param {string} attribute
 * @param {(text: string) => boolean} old
 * @param {string} words
 */
function say(attribute, old, words) {
  for (const element of document.querySelectorAll(`[${CSS.escape(attribute)}]`)) {
    if (old(element.getAttribute(attribute) ?? "")) {
      element.setAttribute(attribute, words);
    }
  }
}
