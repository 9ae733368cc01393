"use strict";
// The drawings of one topology: which one is seen, how large, and what is marked in it. No rule of RabbitMQ is known here.
const SVG = "http://www.w3.org/2000/svg";
const number = (value) => value.toLocaleString("en-US");

class Drawing extends Sheet {
  // `choose` is told which keys of the topology, by their numbers, a reader follows, and how they are called.
  constructor(article, replay, choose) {
    super(article.querySelector(".panel.topology"), null);
    this.replay = replay;
    this.choose = choose;
    this.views = [...article.querySelectorAll(".variant")].map((element, at) => this.view(element, replay.drawings[at]));
    this.now = this.views[0];
    this.svg = this.now.svg;
    this.marks = null;
    this.lit = [];
    this.listen();
  }

  view(element, numbers) {
    const svg = element.querySelector("svg.topology");
    const nodes = [...svg.querySelectorAll(".node")];
    const edges = [];
    for (const edge of svg.querySelectorAll(".edge")) edges[Number(edge.dataset.edge)] = edge;
    const keys = nodes.map(() => []);
    numbers.of_key.forEach((node, key) => node >= 0 && keys[node].push(key));
    const view = { ...numbers, element, svg, shapes: nodes, edges, keys, ofQueue: [], ofConsumer: [], fitted: false };
    numbers.nodes.forEach((what, node) => {
      if (Array.isArray(what)) what.forEach((queue) => (view.ofQueue[queue] = node));
      else if (what !== null) view.ofConsumer[what] = node;
    });
    svg.setAttribute("role", "group");
    nodes.forEach((shape, node) => {
      shape.setAttribute("role", "button");
      shape.setAttribute("tabindex", node ? "-1" : "0");
      shape.setAttribute("aria-label", shape.querySelector("title").textContent);
    });
    return view;
  }

  get(every, celery) {
    return this.views.find((view) => view.every === every && view.celery === celery) ||
      this.views.findLast((view) => (!view.every || every) && (!view.celery || celery)) || this.views[0];
  }

  // True where another one is seen now.
  change(every, celery) {
    const view = this.get(every, celery);
    if (view === this.now) return false;
    this.now = view;
    this.svg = view.svg;
    this.views.forEach((each) => (each.element.hidden = each !== view));
    this.size();
    this.mark(this.marks);
    return true;
  }

  nameOf(node) {
    return this.now.names[node] ?? this.replay.keys[this.now.keys[node][0]][1];
  }

  // What it holds -------------------------------------------------------------------------------------------------

  // Fonts differ in width; what a node says stays within it.
  fit(node, text) {
    text.removeAttribute("textLength");
    const room = this.now.shapes[node].querySelector("rect").width.baseVal.value - 16;
    if (text.getComputedTextLength() <= room) return;
    text.setAttribute("textLength", room);
    text.setAttribute("lengthAdjust", "spacingAndGlyphs");
  }

  fitAll() {
    if (this.now.fitted || !this.box.clientWidth) return;
    this.now.fitted = true;
    this.now.shapes.forEach((shape, node) => shape.querySelectorAll("text").forEach((text) => this.fit(node, text)));
  }

  paint(node, depths, holds) {
    const what = this.now.nodes[node];
    if (what === null) return;
    const shape = this.now.shapes[node];
    const held = shape.querySelector(".held");
    if (!Array.isArray(what)) {
      held.textContent = holds[what] ? `holds ${holds[what]}` : "idle";
      this.fit(node, held);
      return;
    }
    let ready = 0;
    let unacked = 0;
    for (const queue of what) {
      ready += depths[2 * queue];
      unacked += depths[2 * queue + 1];
    }
    held.textContent = `${number(ready)} ready \u00b7 ${number(unacked)} unacked`;
    this.fit(node, held);
    shape.querySelectorAll(".sign").forEach((sign, index) => {
      sign.classList.toggle("unacked", index < unacked);
      sign.classList.toggle("ready", index >= unacked && index < unacked + ready);
    });
  }

  // Marks ---------------------------------------------------------------------------------------------------------

  shapesOf(keys) {
    return [...new Set(keys.map((key) => this.now.of_key[key]))].filter((node) => node >= 0).map((node) => this.now.shapes[node]);
  }

  linesOf(edges) {
    return edges.map((edge) => this.now.edges[this.now.of_edge[edge < 0 ? -1 - edge : edge]]).filter(Boolean);
  }

  light(keys, edges) {
    for (const element of this.lit) element.classList.remove("lit");
    const shapes = this.shapesOf(keys);
    this.lit = [...shapes, ...this.linesOf(edges)];
    for (const element of this.lit) element.classList.add("lit");
    const seen = this.marks ? shapes.filter((shape) => shape.classList.contains("way")) : shapes; // what is followed stays in sight
    if (seen.length) this.bringIntoView(seen[seen.length - 1]);
  }

  // `keys` and `edges` stand out, `chosen` most; null: all are alike.
  mark(marks) {
    this.marks = marks;
    const view = this.now;
    const nodes = new Set(marks ? [...marks.keys].map((key) => view.of_key[key]) : []);
    const chosen = new Set(marks ? [...marks.chosen].map((key) => view.of_key[key]) : []);
    const edges = new Set(marks ? [...marks.edges].map((edge) => view.of_edge[edge]) : []);
    view.svg.classList.toggle("marked", marks !== null);
    view.shapes.forEach((shape, node) => {
      shape.classList.toggle("way", nodes.has(node));
      shape.classList.toggle("chosen", chosen.has(node));
      shape.setAttribute("aria-pressed", String(chosen.has(node)));
    });
    view.edges.forEach((edge, at) => edge.classList.toggle("way", edges.has(at)));
    view.svg.querySelectorAll(".label").forEach((label) => label.classList.toggle("way", edges.has(Number(label.dataset.of))));
    for (const node of chosen) if (node >= 0) return this.bringIntoView(view.shapes[node]);
  }

  // Size ----------------------------------------------------------------------------------------------------------

  size() {
    const scale = super.size();
    this.fitAll();
    return scale;
  }

  enlarge(on) {
    super.enlarge(on);
    const shape = this.now.svg.querySelector(".chosen") || this.lit.find((element) => element.matches(".node"));
    if (shape) this.bringIntoView(shape);
  }

  // A reader's hands ----------------------------------------------------------------------------------------------

  // From a node to the nearest one in a direction.
  step(shape, right, down) {
    const middle = (each) => {
      const box = each.getBoundingClientRect();
      return [box.left + box.width / 2, box.top + box.height / 2];
    };
    const [x, y] = middle(shape);
    let best = null;
    let least = Infinity;
    for (const other of this.now.shapes) {
      const [otherX, otherY] = middle(other);
      const ahead = (otherX - x) * right + (otherY - y) * down;
      const aside = Math.abs((otherX - x) * down) + Math.abs((otherY - y) * right);
      const far = ahead + 3 * aside;
      if (other !== shape && ahead > 4 && far < least) [best, least] = [other, far];
    }
    if (!best) return;
    shape.setAttribute("tabindex", "-1");
    best.setAttribute("tabindex", "0");
    best.focus({ preventScroll: true });
    this.bringIntoView(best);
  }

  press(shape) {
    const node = this.now.shapes.indexOf(shape);
    if (node >= 0) this.choose(this.now.keys[node], this.nameOf(node));
  }

  listen() {
    super.listen();
    this.box.addEventListener("click", (event) => {
      const shape = event.target.closest(".node");
      if (shape && !this.dragged) this.press(shape);
    });
  }
}
