"use strict";
// One run: replays what was worked out when the page was made. Text goes in as text only.
const CHECKPOINT = 512;
const PLAY = "M4 2l10 6-10 6z";
const PAUSE = "M3 2h4v12H3zM9 2h4v12H9z";
const calm = matchMedia("(prefers-reduced-motion: reduce)");

class Run {
  // `moved` is told when a reader has gone to another moment or follows something else.
  constructor(article, moved) {
    this.article = article;
    this.name = article.getAttribute("aria-label");
    this.moved = moved;
    this.started = false;
  }

  start() {
    if (this.started) return;
    this.started = true;
    const script = this.article.querySelector("script.replay");
    this.replay = script ? JSON.parse(script.textContent) : null;
    this.article.querySelectorAll(".panel.states").forEach((panel) => new StateMap(panel));
    if (!this.replay) return;
    const find = (selector) => this.article.querySelector(selector);
    const all = (selector) => [...this.article.querySelectorAll(selector)];
    this.moments = this.replay.moments;
    this.last = this.moments.length - 1;
    let now = 0;
    this.times = this.moments.map((moment) => (now += moment[0]));
    this.items = all("li.at");
    this.indexOf = new Map(this.items.map((item, index) => [item, index]));
    this.ids = this.items.map((item) => item.querySelector("i")?.textContent.toLowerCase());
    this.steps = [0, ...this.items.flatMap((item, index) => (item.classList.contains("step") ? [index] : [])), this.last];
    this.list = find(".trace");
    this.player = find(".player");
    this.slider = find(".slider");
    this.play = find(".play");
    this.speed = find(".speed");
    this.filter = find(".filter");
    this.clear = find(".clear");
    this.matches = find(".matches");
    this.followed = find(".followed");
    this.folded = this.items.some((item) => item.classList.contains("stage"));
    this.every = false;
    this.chosen = null;
    this.charts = all("svg.chart").map((svg) => ({
      svg, cursor: svg.querySelector(".cursor"), byTime: svg.dataset.axis === "time", end: Number(svg.dataset.end),
      left: Number(svg.dataset.left), width: Number(svg.dataset.width),
    }));
    this.now = { time: find(".now-time"), text: find(".now-text"), count: find(".now-count"), line: find(".now") };
    this.timer = 0;
    this.dot = null;
    this.checkpoints = [];
    this.depths = new Int32Array(2 * this.replay.queues);
    this.holds = new Array(this.replay.consumers).fill("");
    for (let index = 0; index <= this.last; index++) {
      this.apply(index, null);
      if (index % CHECKPOINT === 0) this.checkpoints.push([this.depths.slice(), this.holds.slice()]);
    }
    this.position = this.last;
    all(".live-only").forEach((element) => (element.hidden = false));
    this.drawing = new Drawing(this.article, this.replay, (keys, name) => this.choose(keys, name));
    this.drawing.size();
    this.article.classList.toggle("folded", this.folded);
    this.linkNames(all("td[data-follow]"));
    this.listen(find, all);
    this.retime();
    this.go(this.replay.opening);
  }

  // State -----------------------------------------------------------------------------------------------------------

  apply(index, changed) {
    const [, , , depths = [], holds = []] = this.moments[index];
    for (let at = 0; at < depths.length; at += 3) {
      this.depths[2 * depths[at]] = depths[at + 1];
      this.depths[2 * depths[at] + 1] = depths[at + 2];
      if (changed) changed.add(this.drawing.now.ofQueue[depths[at]]);
    }
    for (let at = 0; at < holds.length; at += 2) {
      this.holds[holds[at]] = holds[at + 1];
      if (changed) changed.add(this.drawing.now.ofConsumer[holds[at]]);
    }
  }

  go(to, moving = false) {
    to = clamp(to, 0, this.last);
    const changed = new Set();
    let from = this.position;
    if (to < from) {
      const checkpoint = Math.floor(to / CHECKPOINT);
      const [depths, holds] = this.checkpoints[checkpoint];
      this.depths = depths.slice();
      this.holds = holds.slice();
      this.drawing.now.nodes.forEach((_, node) => changed.add(node));
      from = checkpoint * CHECKPOINT;
    }
    for (let index = from + 1; index <= to; index++) this.apply(index, changed);
    const one = to === this.position + 1 || moving;
    this.position = to;
    this.show(changed, one);
    this.moved(this);
  }

  // Showing ---------------------------------------------------------------------------------------------------------

  show(changed, moving) {
    for (const node of changed) if (node !== undefined) this.drawing.paint(node, this.depths, this.holds);
    const index = this.position;
    const item = this.items[index];
    const [, edges = [], keys = []] = this.moments[index];
    if (this.current) {
      this.current.removeAttribute("aria-current");
      this.current.classList.remove("current");
    }
    this.current = item;
    item.classList.add("current");
    item.setAttribute("aria-current", "true");
    this.slider.value = index;
    const words = [...item.children].slice(1).map((child) => child.textContent);
    const text = words.join(" \u00b7 ");
    this.now.time.textContent = `${item.firstElementChild.textContent} s`;
    this.now.text.textContent = text;
    this.now.text.title = text;
    this.now.count.textContent = `${number(index)} / ${number(this.last)}`;
    this.player.classList.toggle("at-start", index === 0);
    this.slider.setAttribute("aria-valuetext", `${index} of ${this.last}: ${text}`);
    for (const chart of this.charts) {
      const at = chart.byTime ? this.times[index] : index;
      chart.cursor.setAttribute("transform", `translate(${chart.end ? (chart.width * Math.min(at, chart.end)) / chart.end : 0} 0)`);
    }
    this.bringIntoView(item);
    this.drawing.light(keys, edges);
    if (this.chosen?.keys.length > 1) this.tellFollowed();
    this.move(edges, item, moving);
  }

  repaint() {
    this.drawing.now.nodes.forEach((_, node) => this.drawing.paint(node, this.depths, this.holds));
    const [, edges = [], keys = []] = this.moments[this.position];
    this.drawing.light(keys, edges);
  }

  bringIntoView(item) {
    const list = this.list;
    const scroll = () => {
      const top = item.offsetTop - list.offsetTop;
      if (top < list.scrollTop + 40 || top + item.offsetHeight > list.scrollTop + list.clientHeight - 40) {
        list.scrollTop = top - list.clientHeight / 2;
      }
    };
    scroll();
    if (list.classList.contains("long")) requestAnimationFrame(scroll); // now that its neighbours have their true heights
  }

  // The message goes along its edges, one after the other.
  move(edges, item, moving) {
    if (this.dot) this.dot.remove();
    this.dot = null;
    if (!moving || !edges.length || calm.matches) return;
    const { now } = this.drawing;
    const ways = edges.map((edge) => ({ path: now.edges[now.of_edge[edge < 0 ? -1 - edge : edge]], back: edge < 0 })).filter((way) => way.path);
    if (!ways.length) return;
    const dot = document.createElementNS(SVG, "g");
    dot.setAttribute("class", "message");
    const circle = document.createElementNS(SVG, "circle");
    circle.setAttribute("r", "7");
    const label = document.createElementNS(SVG, "text");
    label.setAttribute("y", "-12");
    label.setAttribute("text-anchor", "middle");
    const id = item.querySelector("i");
    label.textContent = id ? id.textContent.slice(0, 24) : "";
    dot.append(circle, label);
    now.svg.append(dot);
    this.dot = dot;
    const lengths = ways.map((way) => way.path.getTotalLength());
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const duration = Math.min(700, 0.8 * Number(this.speed.value));
    const began = performance.now();
    const frame = (time) => {
      if (this.dot !== dot) return;
      const part = Math.min(1, Math.max(0, time - began) / duration);
      let left = total * (part < 0.5 ? 2 * part * part : 1 - 2 * (1 - part) * (1 - part));
      let index = 0;
      while (index < ways.length - 1 && left > lengths[index]) left -= lengths[index++];
      const { path, back } = ways[index];
      const point = path.getPointAtLength(back ? lengths[index] - left : left);
      dot.setAttribute("transform", `translate(${point.x} ${point.y})`);
      if (part < 1) requestAnimationFrame(frame);
      else setTimeout(() => dot.remove(), 120);
    };
    frame(began);
  }

  // Going about -----------------------------------------------------------------------------------------------------

  passedOver(index) {
    const item = this.items[index];
    return item.hidden || (this.folded && item.classList.contains("stage"));
  }

  nextEvent(by) {
    let to = this.position + by;
    while (to > 0 && to < this.last && this.passedOver(to)) to += by;
    if (to >= 0 && to <= this.last) this.go(to, by > 0);
    return to < this.last;
  }

  nextStep(by) {
    const to = by > 0 ? this.steps.find((step) => step > this.position) : this.steps.findLast((step) => step < this.position);
    if (to !== undefined) this.go(to);
  }

  toggle(on = !this.timer) {
    clearTimeout(this.timer);
    this.timer = 0;
    const text = on ? "Pause (Space)" : "Play (Space)";
    this.play.setAttribute("aria-label", text);
    this.play.title = text;
    this.play.querySelector("path").setAttribute("d", on ? PAUSE : PLAY);
    this.now.line.setAttribute("aria-live", on ? "off" : "polite");
    if (!on) return;
    if (this.position === this.last) this.go(0);
    const tick = () => {
      if (this.nextEvent(1)) this.timer = setTimeout(tick, Number(this.speed.value));
      else this.toggle(false);
    };
    this.timer = setTimeout(tick, Number(this.speed.value) / 2);
  }

  // Following -------------------------------------------------------------------------------------------------------

  // A node of the drawing: what is about any of these keys.
  choose(keys, name) {
    this.chosen = { keys, name };
    this.setFilter(name, false);
  }

  // The keys called so; of a node that was chosen exactly its own.
  keysOf(text) {
    if (this.chosen && this.chosen.name === text) return this.chosen.keys;
    const group = Object.entries(this.drawing.now.names).find(([, name]) => name === text);
    this.chosen = group ? { keys: this.drawing.now.keys[group[0]], name: text } : null;
    if (this.chosen) return this.chosen.keys;
    return this.replay.keys.flatMap(([, name], key) => (name === text ? [key] : []));
  }

  find(text) {
    text = text.trim();
    const wanted = text.toLowerCase();
    const exact = !this.chosen && wanted !== "" && this.ids.includes(wanted);
    const keys = exact || !wanted ? [] : this.keysOf(text);
    if (!wanted || exact) this.chosen = null;
    const of = new Set(keys);
    const ends = (edge) => this.replay.edges[edge < 0 ? -1 - edge : edge];
    const about = ([, edges = [], touched = []]) => touched.some((key) => of.has(key)) || edges.some((edge) => ends(edge).some((key) => of.has(key)));
    const marks = exact || of.size ? { keys: new Set(keys), edges: new Set(), chosen: new Set(keys) } : null;
    let count = 0;
    this.items.forEach((item, index) => {
      const hit =
        !wanted || (exact ? this.ids[index] === wanted : of.size ? about(this.moments[index]) : item.textContent.toLowerCase().includes(wanted));
      item.hidden = !hit;
      count += hit;
      if (!hit || !exact) return;
      const [, edges = [], touched = []] = this.moments[index];
      touched.forEach((key) => marks.keys.add(key));
      edges.forEach((edge) => marks.edges.add(edge < 0 ? -1 - edge : edge));
    });
    if (of.size) {
      this.replay.edges.forEach(([source, target], edge) => {
        if (!of.has(source) && !of.has(target)) return;
        marks.edges.add(edge);
        marks.keys.add(source).add(target);
      });
    } else if (exact) {
      for (const edge of marks.edges) this.replay.edges[edge].forEach((key) => marks.keys.add(key));
    }
    this.drawing.mark(marks);
    this.matches.textContent = wanted ? `${number(count)} of ${number(this.items.length)}` : "";
    this.clear.hidden = !wanted;
    this.about = exact ? `${text}: the way that it went is marked` : of.size ? text : "";
    this.tellFollowed();
    this.retime();
    this.bringIntoView(this.items[this.position]);
    this.moved(this);
  }

  setFilter(text, forget = true) {
    if (forget) this.chosen = null;
    this.filter.value = text;
    this.find(text);
  }

  // What is followed, and of a group each of its queues, to be followed alone.
  tellFollowed() {
    this.followed.hidden = !this.about;
    if (!this.about) return;
    const stop = document.createElement("button");
    stop.type = "button";
    stop.className = "stop";
    stop.textContent = "Follow nothing (Esc)";
    const line = document.createElement("p");
    line.append(this.about, " ", stop);
    const parts = [line];
    const keys = this.chosen?.keys ?? [];
    if (keys.length > 1) {
      const list = document.createElement("ul");
      for (const key of keys) {
        const [kind, name] = this.replay.keys[key];
        const item = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.dataset.key = key;
        button.textContent = name;
        item.append(button, kind === "queue" ? ` ${this.depthOf(key)}` : "");
        list.append(item);
      }
      parts.push(list);
    }
    const focused = this.followed.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
    this.followed.replaceChildren(...parts);
    if (focused !== undefined) this.followed.querySelector(`[data-key="${focused}"]`)?.focus();
  }

  depthOf(key) {
    const { now } = this.drawing;
    const node = now.of_key[key];
    const queue = node < 0 || !Array.isArray(now.nodes[node]) ? undefined : now.nodes[node][now.keys[node].indexOf(key)];
    return queue === undefined ? "" : `${number(this.depths[2 * queue])} ready \u00b7 ${number(this.depths[2 * queue + 1])} unacked`;
  }

  // Times that the row before says already are not said again, whichever rows are seen.
  retime() {
    let last = -1;
    this.items.forEach((item, index) => {
      if (this.passedOver(index)) return;
      const time = item.firstElementChild;
      const again = this.times[index] === last;
      if (again !== time.classList.contains("again")) time.classList.toggle("again", again);
      last = this.times[index];
    });
  }

  // Names in tables of what can be followed become buttons.
  linkNames(cells) {
    const ids = new Set(this.ids);
    const names = new Set(this.replay.keys.map(([, name]) => name));
    for (const cell of cells) {
      const text = cell.textContent;
      if (!ids.has(text.toLowerCase()) && !names.has(text)) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.className = "follow";
      button.textContent = text;
      cell.replaceChildren(button);
    }
  }

  switchTo(every, folded) {
    this.every = every;
    this.folded = folded;
    this.article.classList.toggle("folded", folded);
    this.article.querySelectorAll(".show-every").forEach((box) => (box.checked = every));
    this.article.querySelectorAll(".show-stage").forEach((box) => (box.checked = !folded));
    this.article.querySelectorAll(".left-out-note").forEach((note) => (note.hidden = every));
    if (this.drawing.change(every, !folded)) this.repaint();
    this.retime();
  }

  listen(find, all) {
    const press = (selector, does) => all(selector).forEach((element) => element.addEventListener("click", does));
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
    press(".play", () => this.toggle());
    press(".previous", () => this.nextEvent(-1));
    press(".next", () => this.nextEvent(1));
    press(".previous-step", () => this.nextStep(-1));
    press(".next-step", () => this.nextStep(1));
    press(".to-opening", () => this.go(this.replay.opening, true));
    all(".show-every").forEach((box) => box.addEventListener("change", () => this.switchTo(box.checked, this.folded)));
    all(".show-stage").forEach((box) => box.addEventListener("change", () => this.switchTo(this.every, !box.checked)));
    this.filter.addEventListener("input", () => {
      this.chosen = null;
      this.find(this.filter.value);
    });
    this.clear.addEventListener("click", () => {
      this.setFilter("");
      this.filter.focus();
    });
    this.followed.addEventListener("click", (event) => {
      if (event.target.matches(".stop")) this.setFilter("");
      const key = event.target.dataset.key;
      if (key !== undefined) this.choose([Number(key)], this.replay.keys[key][1]);
    });
    this.article.addEventListener("click", (event) => {
      if (event.target.matches(".follow")) this.setFilter(event.target.textContent);
    });
    this.list.addEventListener("click", (event) => {
      const item = event.target.closest("li.at");
      if (!item) return;
      if (event.target.tagName === "I") this.setFilter(event.target.textContent);
      this.go(this.indexOf.get(item), true);
    });
    for (const chart of this.charts) {
      chart.svg.addEventListener("click", (event) => {
        const box = chart.svg.getBoundingClientRect();
        const x = ((event.clientX - box.left) / box.width) * chart.svg.viewBox.baseVal.width;
        const at = clamp((x - chart.left) / chart.width, 0, 1) * chart.end;
        const task = event.target.closest("[data-task]")?.dataset.task;
        if (task !== undefined) this.setFilter(task);
        this.go(chart.byTime ? this.times.findLastIndex((time) => time <= at) : Math.round(at));
      });
    }
  }
}
