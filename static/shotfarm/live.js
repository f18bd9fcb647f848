/* Pages that keep themselves current. Parts that say what they show (data-news: kinds; data-about: keys; data-project;
   data-gap: seconds between two looks) are fetched again by htmx when the farm tells of a change in that: one stream of
   events for the page (docs/events.md). While nothing is heard, each part looks by itself every ALONE_S seconds. A part
   that only rides (data-rides: the sidebar's, on every page) opens no stream, and looks where others do. */

/** @typedef {{kind: string, project: string | null, ids: string[], within: string[], many: boolean}} Change */
/** @typedef {{last: number, timer: number, ended: boolean}} Turn  When a part looked last; whether it will. */

{
  const ALONE_S = 20;
  const LIVE_S = 60; // for what time alone changes: "since 5 minutes"
  const SLACK_S = 5; // between the page's reading of the database and its being drawn
  const REFUSED_S = 30;

  /** @type {HTMLElement | null} */
  let sign = null;
  /** @type {Map<string, Turn>} */
  const turns = new Map();
  const loaded = Date.now();
  /** @type {EventSource | null} */
  let source = null;
  let place = "";
  let live = false;

  /** @returns {HTMLElement[]} */
  const parts = () => [...document.querySelectorAll(/** @type {"div"} */ ("[data-news]"))];
  const listening = () => parts().some((part) => !("rides" in part.dataset));
  /** @param {HTMLElement} part  A part that is drawn anew is another element with the same name. */
  const nameOf = (part) => part.id || part.getAttribute("hx-get") || "";
  /** @param {HTMLElement} part @returns {Turn} */
  const turnOf = (part) => {
    const name = nameOf(part);
    const turn = turns.get(name) || { last: loaded, timer: 0, ended: false };
    turns.set(name, turn);
    return turn;
  };

  /** Let a part look, now or when its gap is over; once, however often it is asked. @param {HTMLElement} part */
  const look = (part) => {
    const turn = turnOf(part);
    if (turn.timer) return;
    const name = nameOf(part);
    const wait = turn.last + Number(part.dataset.gap || 2) * 1000 - Date.now();
    turn.timer = window.setTimeout(() => {
      turn.timer = 0;
      turn.last = document.hidden ? 0 : Date.now(); // what nobody sees now is owed: the clock below makes up for it
      turn.ended &&= !document.hidden;
      const there = parts().find((one) => nameOf(one) === name);
      if (there && !document.hidden) htmx.trigger(there, "news");
    }, Math.max(wait, 0));
  };

  /** @param {HTMLElement} part @param {Change} change */
  const concerns = (part, change) => {
    const { news = "", about, project } = part.dataset;
    if (!news.split(" ").includes(change.kind)) return false;
    if (project && change.project && project !== change.project) return false;
    if (!about || change.many || !change.ids.length) return true;
    return [...change.ids, ...change.within].some((key) => about.includes(key));
  };

  /** @param {boolean} now */
  const show = (now) => {
    live = now;
    if (!sign || !sign.lastElementChild) return;
    sign.hidden = false;
    sign.classList.toggle("sf-on", now);
    sign.lastElementChild.textContent = (now ? sign.dataset.live : sign.dataset.away) || "";
  };

  const close = () => {
    if (source) source.close();
    source = null;
  };

  const open = () => {
    if (source || document.hidden || !sign || !listening()) return;
    const stream = new EventSource(`${sign.dataset.events}?after=${encodeURIComponent(place)}`);
    source = stream;
    /** @param {MessageEvent} event */
    const said = (event) => {
      place = event.lastEventId || place;
      return JSON.parse(event.data);
    };
    stream.addEventListener("hello", (event) => {
      show(true);
      if (said(event).missed) parts().forEach(look);
    });
    stream.addEventListener("changed", (event) => {
      const change = said(event);
      parts().filter((part) => concerns(part, change)).forEach(look);
    });
    stream.addEventListener("away", () => show(false));
    stream.addEventListener("error", () => {
      show(false);
      if (stream.readyState !== EventSource.CLOSED || source !== stream) return; // it tries again by itself
      close(); // refused: signed out, or too many
      window.setTimeout(open, (1 + Math.random()) * REFUSED_S * 1000);
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    sign = document.getElementById("sf-live");
    if (sign) place = `${(Number(sign.dataset.now) - SLACK_S) * 1000}-0`;
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);

  /* What could not be drawn because somebody was about to press it is looked at again; what is closed for good need not
     be looked at by the clock. */
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { elt, shouldSwap, xhr } = event.detail;
    if (!elt.matches("[data-news]") || xhr.status >= 400) return;
    turnOf(elt).ended = xhr.status === 286;
    if (!shouldSwap) look(elt);
  });

  window.setInterval(() => {
    if (document.hidden || !listening()) return;
    const patience = (live ? LIVE_S : ALONE_S) * 1000;
    for (const part of parts()) {
      const turn = turnOf(part);
      if (!turn.ended && Date.now() - turn.last >= patience) look(part);
    }
  }, 1000);
}
