"use strict";
// The page around the runs: which one is seen, the list of all, the address of a moment, and the keys.
(() => {
  const WORST = ["refused", "failed", "held", "ran", "ok"]; // the worst first
  const SIGNS = { ok: "\u2714", ran: "!", held: "!" };
  const TONES = { ok: "good", ran: "notice", held: "notice" };
  const WAIT_MS = 250; // browsers take addresses no more often than so
  const overview = document.querySelector(".overview");
  const nav = document.querySelector(".about-runs");
  const help = document.querySelector(".help");
  const articles = [...document.querySelectorAll("article.run")];
  const slugs = [];
  let shown = -1; // none: the list of all
  let waiting = 0;

  const runs = articles.map((article) => {
    slugs.push(slugOf(article, slugs));
    return new Run(article, () => tell());
  });

  function make(tag, text, attributes = {}) {
    const element = document.createElement(tag);
    if (text !== null) element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  // Addresses: #shoes/14?m3 is the moment 14 of shoes.yaml, where m3 is followed -----------------------------------

  function slugOf(article, taken) {
    if (article.dataset.slug) return article.dataset.slug;
    const file = (article.dataset.file || article.getAttribute("aria-label")).split(/[\\/]/).pop();
    const stem = file.replace(/(\.scenario)?\.(ya?ml|json)$/i, "").replace(/[^\p{L}\p{N}._-]+/gu, "-") || "run";
    let slug = stem;
    for (let again = 2; taken.includes(slug); again++) slug = `${stem}-${again}`;
    return slug;
  }

  function address() {
    if (shown < 0) return "#";
    const run = runs[shown];
    const at = run.replay ? `/${run.position}` : "";
    const followed = run.replay && run.filter.value.trim();
    return `#${encodeURIComponent(slugs[shown])}${at}${followed ? `?${encodeURIComponent(followed)}` : ""}`;
  }

  function tell() {
    if (waiting || shown < 0) return;
    waiting = setTimeout(() => {
      waiting = 0;
      if (location.hash !== address()) history.replaceState(null, "", address());
    }, WAIT_MS);
  }

  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  }

  // Where nothing of that name is, the page begins as without an address: with the one that says so of itself, or the list.
  function read(event) {
    const [, slug = "", at, followed] = /^#([^/?]*)(?:\/(\d+))?(?:\?(.*))?$/.exec(location.hash) || [];
    const index = slugs.indexOf(decoded(slug));
    if (index < 0) {
      const opens = event ? -1 : articles.findIndex((article) => "opens" in article.dataset);
      if (runs.length > 1 && opens < 0) list();
      else select(Math.max(opens, 0));
      return;
    }
    select(index);
    const run = runs[index];
    if (!run.replay) return;
    if (followed !== undefined) run.setFilter(decoded(followed));
    if (at !== undefined) run.go(Number(at));
  }

  // Which one is seen -----------------------------------------------------------------------------------------------

  function leave() {
    if (shown >= 0 && runs[shown].timer) runs[shown].toggle(false);
  }

  function select(index) {
    if (!runs.length) return;
    leave();
    shown = (index + runs.length) % runs.length;
    overview.hidden = true;
    articles.forEach((article, at) => (article.hidden = at !== shown));
    runs[shown].start();
    if (runs[shown].drawing) runs[shown].drawing.size();
    document.title = `${runs[shown].name} \u00b7 routesim`;
    nav.hidden = runs.length < 2;
    nav.querySelector(".place").textContent = `${number(shown + 1)} of ${number(runs.length)}`;
    tell();
  }

  function list() {
    leave();
    shown = -1;
    articles.forEach((article) => (article.hidden = true));
    nav.hidden = true;
    overview.hidden = false;
    document.title = `${number(runs.length)} scenarios \u00b7 routesim`;
  }

  function beside(by) {
    if (runs.length < 2) return;
    select(shown < 0 ? (by > 0 ? 0 : -1) : shown + by);
    window.scrollTo(0, 0);
  }

  // The list of all -------------------------------------------------------------------------------------------------

  function makeOverview() {
    const order = runs.map((_, index) => index);
    const worst = (index) => WORST.indexOf(articles[index].dataset.verdict);
    order.sort((one, other) => worst(one) - worst(other) || one - other);
    const counts = WORST.map((verdict) => [verdict, articles.filter((article) => article.dataset.verdict === verdict).length]);
    const search = make("input", null, { type: "search", class: "find-run", placeholder: "name, file or reason", autocomplete: "off" });
    const label = make("label", "Find ");
    label.append(search);
    const bar = make("div", null, { class: "search" });
    const told = make("output", "", { class: "matches" });
    bar.append(label);
    const buttons = counts.filter(([, count]) => count).map(([verdict, count]) => {
      const button = make("button", `${SIGNS[verdict] || "\u2718"} ${number(count)} ${verdict.toUpperCase()}`, {
        type: "button", class: `only ${TONES[verdict] || "bad"}`, "aria-pressed": "false", "data-verdict": verdict,
      });
      bar.append(button);
      return button;
    });
    bar.append(told);
    const table = make("table", null, {});
    const head = make("tr", null);
    for (const [name, kind] of [["verdict", ""], ["scenario", ""], ["expectations", "number"], ["lost", "number"], ["virtual time", "number"]]) {
      head.append(make("th", name, { scope: "col", ...(kind ? { class: kind } : {}) }));
    }
    const body = make("tbody", null);
    const rows = order.map((index) => rowOf(index));
    body.append(...rows);
    const top = make("thead", null);
    top.append(head);
    table.append(top, body);
    overview.append(make("h2", `${number(runs.length)} scenarios`), bar, table);

    const narrow = () => {
      const wanted = search.value.trim().toLowerCase();
      const only = buttons.find((button) => button.getAttribute("aria-pressed") === "true")?.dataset.verdict;
      let count = 0;
      rows.forEach((row) => {
        row.hidden = (only && row.dataset.verdict !== only) || !row.textContent.toLowerCase().includes(wanted);
        count += !row.hidden;
      });
      told.textContent = wanted || only ? `${number(count)} of ${number(rows.length)}` : "";
    };
    search.addEventListener("input", narrow);
    for (const button of buttons) {
      button.addEventListener("click", () => {
        const on = button.getAttribute("aria-pressed") !== "true";
        buttons.forEach((each) => each.setAttribute("aria-pressed", String(on && each === button)));
        narrow();
      });
    }
    body.addEventListener("click", (event) => {
      if (!event.target.closest("a")) event.target.closest("tr")?.querySelector("a").click();
    });
  }

  function rowOf(index) {
    const { verdict, file = "", expected = "", lost = "", time = "", why = "" } = articles[index].dataset;
    const row = make("tr", null, { "data-verdict": verdict });
    const word = make("td", null, { class: "word" });
    word.append(make("strong", `${SIGNS[verdict] || "\u2718"} ${verdict.toUpperCase()}`, { class: `verdict ${TONES[verdict] || "bad"}` }));
    const name = make("td", null, { class: "name" });
    name.append(make("a", runs[index].name, { href: `#${encodeURIComponent(slugs[index])}` }), " ", make("small", file));
    if (why) name.append(make("p", why, { class: "why" }));
    const held = make("td", expected || "none", { class: `number expected${expected ? "" : " quiet"}` });
    const gone = make("td", lost || "0", { class: `number lost ${lost && lost !== "0" ? "bad" : "quiet"}` });
    row.append(word, name, held, gone, make("td", time, { class: "number time" }));
    return row;
  }

  // Keys ------------------------------------------------------------------------------------------------------------

  function onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || help.open) return;
    const target = event.target;
    if (target.matches("select")) return;
    const run = shown < 0 ? null : runs[shown];
    if (target.matches("input[type=search]")) {
      if (event.key === "Escape") {
        target.value = "";
        target.dispatchEvent(new Event("input"));
        target.blur();
      }
      return;
    }
    const does = { "?": () => help.showModal(), "[": () => beside(-1), "]": () => beside(1) };
    if (!run) Object.assign(does, keysOfOverview(target));
    else if (run.replay) Object.assign(does, keysOfRun(event, target, run));
    if (runs.length > 1 && run) does.u = () => (location.hash = "#");
    if (does[event.key]) {
      event.preventDefault();
      does[event.key]();
    }
  }

  function keysOfOverview(target) {
    const links = [...overview.querySelectorAll("tr:not([hidden]) a")];
    const to = (by) => () => links[clamp(links.indexOf(target) + by, 0, links.length - 1)]?.focus();
    return { "/": () => overview.querySelector(".find-run").focus(), ArrowDown: to(1), ArrowUp: to(-1) };
  }

  function keysOfRun(event, target, run) {
    const does = {};
    const by = (amount) => () => (event.shiftKey ? run.nextStep(amount) : run.nextEvent(amount));
    const node = target.closest(".node");
    if (node && !event.shiftKey) {
      const step = (right, down) => () => run.drawing.step(node, right, down);
      const press = () => run.drawing.press(node);
      Object.assign(does, {
        ArrowLeft: step(-1, 0), ArrowRight: step(1, 0), ArrowUp: step(0, -1), ArrowDown: step(0, 1), Enter: press, " ": press,
      });
    } else {
      const sideways = target.matches(".scrolls, .drawing") && target.scrollWidth > target.clientWidth;
      if (!sideways) Object.assign(does, { ArrowLeft: by(-1), ArrowRight: by(1) });
      if (target.matches(".slider, .trace")) Object.assign(does, { ArrowUp: by(-1), ArrowDown: by(1) });
      if (target.matches(".slider")) Object.assign(does, { ArrowUp: by(1), ArrowDown: by(-1) });
      if (!target.matches("button, input[type=checkbox], a")) does[" "] = () => run.toggle();
    }
    const escape = () => {
      if (run.drawing.panel.classList.contains("whole-screen")) run.drawing.enlarge(false);
      else run.setFilter("");
    };
    return Object.assign(does, {
      Home: () => run.go(0), End: () => run.go(run.last), "/": () => run.filter.focus(), Escape: escape,
      "+": () => run.drawing.zoom(1.25), "-": () => run.drawing.zoom(0.8), 0: () => run.drawing.zoom(0),
    });
  }

  document.documentElement.classList.add("js");
  if (runs.length) articles.forEach((article) => (article.hidden = true));
  document.documentElement.classList.remove("starting");
  if (runs.length > 1) makeOverview();
  read();
  addEventListener("hashchange", read);
  document.addEventListener("keydown", onKey);
  nav.querySelector(".before").addEventListener("click", () => beside(-1));
  nav.querySelector(".after").addEventListener("click", () => beside(1));
  const ask = document.querySelector(".ask-help");
  ask.hidden = false;
  ask.addEventListener("click", () => help.showModal());
  help.querySelector("button").addEventListener("click", () => help.close());
})();
