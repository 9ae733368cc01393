"use strict";
// Shows what the server tells; no rule of RabbitMQ is known here. Text goes in as text only.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const MOST = 1000; // rows that are kept
  const REDRAW_MS = 150;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const asked = new URLSearchParams(location.search);
  const token = asked.get("token") || "";
  const vhost = asked.get("vhost") || document.querySelector(".vhosts a[aria-current]").dataset.vhost;
  const find = (selector) => document.querySelector(selector);
  const number = (value) => value.toLocaleString("en-US");
  const drawing = find(".drawing");
  const list = find(".trace ol");
  const scrolls = find(".trace");
  const filter = find(".filter");
  const follow = find(".follow");
  const state = find(".state");
  const answer = find(".answer");
  const pause = find(".pause");
  let nodes = [];
  let edges = [];
  let nodeOf = new Map();
  let edgeOf = new Map();
  let depths = new Map();
  let redrawing = 0;
  let since = { depths: {}, holds: {} }; // what was told after the drawing was asked for: it may be older
  let clock = { now: 0, at: performance.now(), speed: 0 };
  let dots = 0;

  function make(tag, text, className) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
  }

  async function ask(method, path, body) {
    const headers = { "X-Routesim-Token": token };
    if (body) headers["Content-Type"] = "application/json";
    const response = await fetch(`/api/routesim/${path}`, { method, headers, body: body && JSON.stringify(body) });
    const found = await response.json();
    if (!response.ok) throw new Error(found.reason);
    return found;
  }

  // The drawing ---------------------------------------------------------------------------------------------------------

  const key = (kind, name) => `${kind}\n${name}`;

  function learn() {
    const numbers = JSON.parse(drawing.querySelector(".drawn").textContent);
    const svg = drawing.querySelector("svg.topology");
    const found = svg ? [...svg.querySelectorAll(".node")] : [];
    const paths = new Map(svg ? [...svg.querySelectorAll(".edge")].map((edge) => [Number(edge.dataset.edge), edge]) : []);
    nodeOf = new Map();
    nodes = numbers.nodes.map(([kind, ...names], index) => {
      for (const name of names) nodeOf.set(key(kind, name), index);
      return { kind, names, element: found[index], ready: 0, unacked: 0 };
    });
    edges = numbers.edges.map(([source, target, kind], index) => ({ source, target, kind, path: paths.get(index) }));
    edgeOf = new Map(edges.map((edge, index) => [`${edge.source} ${edge.target} ${edge.kind}`, index]));
    for (const node of nodes) for (const text of node.element.querySelectorAll("text")) fit(node, text);
  }

  function fit(node, text) {
    text.removeAttribute("textLength");
    const room = node.element.querySelector("rect").width.baseVal.value - 16;
    if (text.getComputedTextLength() <= room) return;
    text.setAttribute("textLength", room);
    text.setAttribute("lengthAdjust", "spacingAndGlyphs");
  }

  function redraw() {
    if (redrawing) return;
    redrawing = setTimeout(() => {
      redrawing = 0;
      const request = new XMLHttpRequest(); // it makes a document that runs no script
      request.open("GET", location.href);
      request.responseType = "document";
      since = { depths: {}, holds: {} };
      request.onload = () => {
        const fresh = request.response && request.response.querySelector(".drawing");
        if (!fresh) return;
        drawing.replaceChildren(...[...fresh.children].map((child) => document.adoptNode(child)));
        learn();
        paint(since);
      };
      request.send();
    }, REDRAW_MS);
  }

  function paint(told) {
    Object.assign(since.depths, told.depths);
    Object.assign(since.holds, told.holds);
    for (const [name, depth] of Object.entries(told.depths)) depths.set(name, depth);
    const changed = new Set(Object.keys(told.depths).map((name) => nodeOf.get(key("queue", name))));
    for (const index of changed) {
      const node = nodes[index];
      if (!node) continue;
      let ready = 0;
      let unacked = 0;
      for (const name of node.names) {
        const depth = depths.get(name) || [0, 0];
        ready += depth[0];
        unacked += depth[1];
      }
      const held = node.element.querySelector(".held");
      held.textContent = `${number(ready)} ready \u00b7 ${number(unacked)} unacked`;
      fit(node, held);
      node.element.querySelectorAll(".sign").forEach((sign, at) => {
        sign.classList.toggle("unacked", at < unacked);
        sign.classList.toggle("ready", at >= unacked && at < unacked + ready);
      });
    }
    for (const [name, text] of Object.entries(told.holds)) {
      const node = nodes[nodeOf.get(key("consumer", name))];
      if (!node) continue;
      const held = node.element.querySelector(".held");
      held.textContent = text ? `holds ${text}` : "idle";
      fit(node, held);
    }
  }

  function move(row) {
    if (calm.matches || document.hidden || dots > 12 || !row.ways.length) return;
    const found = row.ways.map(([sourceKind, source, targetKind, target, kind]) => {
      const from = nodeOf.get(key(sourceKind, source));
      const to = nodeOf.get(key(targetKind, target));
      return edges[edgeOf.get(`${from} ${to} ${kind}`)]?.path;
    });
    const ways = found.filter(Boolean);
    const svg = drawing.querySelector("svg.topology");
    if (!ways.length || !svg) return;
    const dot = document.createElementNS(SVG, "g");
    dot.setAttribute("class", "message");
    const circle = document.createElementNS(SVG, "circle");
    circle.setAttribute("r", "7");
    dot.append(circle);
    svg.append(dot);
    dots++;
    const lengths = ways.map((way) => way.getTotalLength());
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const began = performance.now();
    const frame = (time) => {
      const part = Math.min(1, Math.max(0, time - began) / 600);
      let left = total * (row.back ? 1 - part : part);
      let index = 0;
      while (index < ways.length - 1 && left > lengths[index]) left -= lengths[index++];
      const point = ways[index].getPointAtLength(left);
      dot.setAttribute("transform", `translate(${point.x} ${point.y})`);
      if (part < 1 && dot.isConnected) requestAnimationFrame(frame);
      else {
        dot.remove();
        dots--;
      }
    };
    frame(began);
  }

  // The trace -----------------------------------------------------------------------------------------------------------

  const seconds = (ms) => (ms / 1000).toLocaleString("en-US", { minimumFractionDigits: 3, maximumFractionDigits: 3 });

  function item(row) {
    const [event, message, where, why] = row.texts;
    const found = make("li", undefined, `at ${row.tone} d${Math.min(row.depth, 3)}`);
    found.append(make("time", seconds(row.at_ms)), " ", make("b", event), " ");
    if (message) {
      const name = make("button", message, "message-name");
      name.type = "button";
      name.title = "what became of it";
      name.addEventListener("click", () => tell(row.message || message));
      found.append(name, " ");
    }
    if (where) found.append(make("span", where), " ");
    if (why) found.append(make("small", why));
    found.hidden = !matches(found);
    return found;
  }

  const matches = (element) => element.textContent.toLowerCase().includes(filter.value.trim().toLowerCase());

  function append(told) {
    const rows = told.rows.map(item);
    if (told.left_out) rows.push(make("li", `${number(told.left_out)} more events came at once`, "left-out"));
    list.append(...rows);
    while (list.children.length > MOST) list.firstElementChild.remove();
    if (rows.length && follow.checked) scrolls.scrollTop = scrolls.scrollHeight;
  }

  async function tell(message) {
    const dialog = find(".why");
    dialog.querySelector("h2").textContent = message;
    try {
      const found = await ask("GET", `messages/${encodeURIComponent(vhost)}/${encodeURIComponent(message)}`);
      dialog.querySelector("pre").textContent = found.flatMap((known) => known.story).join("\n");
    } catch (problem) {
      dialog.querySelector("pre").textContent = problem.message;
    }
    if (!dialog.open) dialog.showModal();
  }

  // Clock, connections, ledger ------------------------------------------------------------------------------------------

  function showClock(found) {
    clock = { now: found.now_ms, at: performance.now(), speed: found.paused ? 0 : found.speed || 0 };
    tick();
    if (!pause) return;
    pause.textContent = found.paused ? "Go on" : "Pause";
    pause.setAttribute("aria-pressed", String(Boolean(found.paused)));
  }

  function tick() {
    const now = clock.now + (performance.now() - clock.at) * clock.speed;
    const text = `${seconds(Math.floor(now))} s`;
    if (find(".now").textContent !== text) find(".now").textContent = text;
  }

  async function advance() {
    try {
      showClock(await ask("POST", "clock/advance", { by: find(".by").value.trim() }));
      answer.textContent = "";
    } catch (problem) {
      answer.textContent = problem.message;
    }
  }

  async function toggle() {
    const paused = pause.getAttribute("aria-pressed") === "true";
    try {
      showClock(await ask("POST", `clock/${paused ? "resume" : "pause"}`));
    } catch (problem) {
      answer.textContent = problem.message;
    }
  }

  function showConnections(found) {
    const shown = found.map(({ name, user, channels }) => {
      const entry = make("li");
      const lose = make("button", "lose it");
      lose.type = "button";
      lose.setAttribute("aria-label", `lose the connection ${name}`);
      lose.addEventListener("click", async () => {
        try {
          await ask("POST", "failures", { failure: "crash", target: name, vhost });
        } catch (problem) {
          answer.textContent = problem.message;
        }
      });
      const text = make("span");
      text.append(make("b", name), ` ${user}, ${channels === 1 ? "1 channel" : `${channels} channels`}`);
      entry.append(text, lose);
      return entry;
    });
    const before = find(".connections");
    const text = JSON.stringify(found);
    if (before.dataset.shown === text) return; // a button that is about to be clicked stays
    before.dataset.shown = text;
    before.replaceChildren(...(shown.length ? shown : [make("li", "nobody is connected")]));
  }

  function showLedger(found) {
    const rows = Object.entries(found).map(([name, count]) => {
      const row = make("tr", undefined, name === "lost" ? "bad" : "");
      const head = make("th", name.replaceAll("_", " "));
      head.scope = "row";
      row.append(head, make("td", number(count)));
      return row;
    });
    find(".ledger tbody").replaceChildren(...rows);
  }

  // -----------------------------------------------------------------------------------------------------------------------

  function hear(told) {
    append(told);
    paint(told);
    told.rows.forEach(move);
    showLedger(told.ledger);
    showConnections(told.connections);
    clock.now = told.now_ms;
    clock.at = performance.now();
    if (told.redrawn) redraw();
  }

  function listen() {
    const source = new EventSource(`/live?vhost=${encodeURIComponent(vhost)}&token=${encodeURIComponent(token)}`);
    source.addEventListener("open", async () => {
      state.textContent = "live";
      state.className = "state good";
      redraw();
      showClock(await ask("GET", "clock"));
    });
    source.addEventListener("message", (event) => hear(JSON.parse(event.data)));
    source.addEventListener("error", () => {
      state.textContent = "the server does not answer";
      state.className = "state bad";
    });
  }

  filter.addEventListener("input", () => [...list.children].forEach((each) => (each.hidden = !matches(each))));
  find(".clock").addEventListener("submit", (event) => {
    event.preventDefault();
    advance();
  });
  if (pause) pause.addEventListener("click", toggle);
  const help = find(".help");
  find(".ask-help").addEventListener("click", () => help.showModal());
  for (const link of document.querySelectorAll(".vhosts a")) {
    link.href = `?${new URLSearchParams({ vhost: link.dataset.vhost, token })}`;
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
    if (event.target.matches("input")) {
      if (event.key !== "Escape") return;
      if (event.target === filter) {
        filter.value = "";
        filter.dispatchEvent(new Event("input"));
      }
      event.target.blur();
      return;
    }
    const does = {
      "/": () => filter.focus(), "?": () => help.showModal(), a: () => { find(".by").focus(); find(".by").select(); }, p: () => pause && toggle(),
      f: () => (follow.checked = !follow.checked),
    };
    if (!does[event.key]) return;
    event.preventDefault();
    does[event.key]();
  });
  learn();
  listen();
  setInterval(tick, 50);
})();
