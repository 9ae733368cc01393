"use strict";
// Replays what was worked out when the page was made; no rule of RabbitMQ is known here. Text goes in as text only.
(() => {
  const CHECKPOINT = 512;
  const SVG = "http://www.w3.org/2000/svg";
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const number = (value) => value.toLocaleString("en-US");
  const PLAY = "M4 2l10 6-10 6z";
  const PAUSE = "M3 2h4v12H3zM9 2h4v12H9z";
  const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

  class Run {
    constructor(article) {
      this.article = article;
      this.name = article.getAttribute("aria-label");
      this.started = false;
    }

    start() {
      if (this.started) return;
      this.started = true;
      const script = this.article.querySelector("script.replay");
      this.replay = script ? JSON.parse(script.textContent) : null;
      if (!this.replay) return;
      const find = (selector) => this.article.querySelector(selector);
      const all = (selector) => [...this.article.querySelectorAll(selector)];
      this.moments = this.replay.moments;
      this.last = this.moments.length - 1;
      let now = 0;
      this.times = this.moments.map((moment) => (now += moment[0]));
      this.items = all("li.at");
      this.indexOf = new Map(this.items.map((item, index) => [item, index]));
      this.steps = [0, ...this.items.flatMap((item, index) => (item.classList.contains("step") ? [index] : [])), this.last];
      this.list = find(".trace");
      this.svg = find("svg.topology");
      this.drawing = find(".drawing");
      this.nodes = all("svg.topology .node");
      this.edges = new Map(all("svg.topology .edge").map((edge) => [Number(edge.dataset.edge), edge]));
      this.nodeOfQueue = [];
      this.nodeOfConsumer = [];
      this.replay.nodes.forEach((what, node) => {
        if (Array.isArray(what)) what.forEach((queue) => (this.nodeOfQueue[queue] = node));
        else if (what !== null) this.nodeOfConsumer[what] = node;
      });
      this.slider = find(".slider");
      this.play = find(".play");
      this.speed = find(".speed");
      this.filter = find(".filter");
      this.clear = find(".clear");
      this.matches = find(".matches");
      this.charts = all("svg.chart").map((svg) => ({
        svg, cursor: svg.querySelector(".cursor"), byTime: svg.dataset.axis === "time", end: Number(svg.dataset.end),
        left: Number(svg.dataset.left), width: Number(svg.dataset.width),
      }));
      this.now = { time: find(".now-time"), text: find(".now-text"), count: find(".now-count"), line: find(".now") };
      this.lit = [];
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
      this.nodes.forEach((element, node) => element.querySelectorAll("text").forEach((text) => this.fit(node, text)));
      this.listen(find);
      all(".live-only").forEach((element) => (element.hidden = false));
      this.show(new Set(), false);
    }

    // Fonts differ in width; what a node says stays within it.
    fit(node, text) {
      text.removeAttribute("textLength");
      const room = this.nodes[node].querySelector("rect").width.baseVal.value - 16;
      if (text.getComputedTextLength() <= room) return;
      text.setAttribute("textLength", room);
      text.setAttribute("lengthAdjust", "spacingAndGlyphs");
    }

    // State ---------------------------------------------------------------------------------------------------------

    apply(index, changed) {
      const [, , , depths = [], holds = []] = this.moments[index];
      for (let at = 0; at < depths.length; at += 3) {
        this.depths[2 * depths[at]] = depths[at + 1];
        this.depths[2 * depths[at] + 1] = depths[at + 2];
        if (changed) changed.add(this.nodeOfQueue[depths[at]]);
      }
      for (let at = 0; at < holds.length; at += 2) {
        this.holds[holds[at]] = holds[at + 1];
        if (changed) changed.add(this.nodeOfConsumer[holds[at]]);
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
        this.replay.nodes.forEach((what, node) => what !== null && changed.add(node));
        from = checkpoint * CHECKPOINT;
      }
      for (let index = from + 1; index <= to; index++) this.apply(index, changed);
      const one = to === this.position + 1 || moving;
      this.position = to;
      this.show(changed, one);
    }

    // Drawing -------------------------------------------------------------------------------------------------------

    show(changed, moving) {
      for (const node of changed) if (node !== undefined) this.paint(node);
      const index = this.position;
      const item = this.items[index];
      const [, edges = [], nodes = []] = this.moments[index];
      for (const element of this.lit) element.classList.remove("lit", "current");
      if (this.current) this.current.removeAttribute("aria-current");
      this.lit = [item, ...nodes.map((node) => this.nodes[node]), ...edges.map((edge) => this.edges.get(edge < 0 ? -1 - edge : edge))];
      for (const element of this.lit) element.classList.add(element === item ? "current" : "lit");
      this.current = item;
      item.setAttribute("aria-current", "true");
      this.slider.value = index;
      const words = [...item.children].slice(1).map((child) => child.textContent);
      const text = words.join(" \u00b7 ");
      this.now.time.textContent = `${item.firstElementChild.textContent} s`;
      this.now.text.textContent = text;
      this.now.text.title = text;
      this.now.count.textContent = `${number(index)} / ${number(this.last)}`;
      this.slider.setAttribute("aria-valuetext", `${index} of ${this.last}: ${text}`);
      for (const chart of this.charts) {
        const at = chart.byTime ? this.times[index] : index;
        chart.cursor.setAttribute("transform", `translate(${chart.end ? (chart.width * Math.min(at, chart.end)) / chart.end : 0} 0)`);
      }
      this.bringIntoView(item, nodes);
      this.move(edges, item, moving);
    }

    paint(node) {
      const what = this.replay.nodes[node];
      const held = this.nodes[node].querySelector(".held");
      if (!Array.isArray(what)) {
        held.textContent = this.holds[what] ? `holds ${this.holds[what]}` : "idle";
        this.fit(node, held);
        return;
      }
      let ready = 0;
      let unacked = 0;
      for (const queue of what) {
        ready += this.depths[2 * queue];
        unacked += this.depths[2 * queue + 1];
      }
      held.textContent = `${number(ready)} ready \u00b7 ${number(unacked)} unacked`;
      this.fit(node, held);
      this.nodes[node].querySelectorAll(".sign").forEach((sign, index) => {
        sign.classList.toggle("unacked", index < unacked);
        sign.classList.toggle("ready", index >= unacked && index < unacked + ready);
      });
    }

    bringIntoView(item, nodes) {
      const list = this.list;
      const scroll = () => {
        const top = item.offsetTop - list.offsetTop;
        if (top < list.scrollTop + 40 || top + item.offsetHeight > list.scrollTop + list.clientHeight - 40) {
          list.scrollTop = top - list.clientHeight / 2;
        }
      };
      scroll();
      if (list.classList.contains("long")) requestAnimationFrame(scroll); // now that its neighbours have their true heights
      if (nodes.length && this.drawing && this.drawing.scrollWidth > this.drawing.clientWidth) {
        const box = this.nodes[nodes[nodes.length - 1]].getBoundingClientRect();
        const frame = this.drawing.getBoundingClientRect();
        if (box.left < frame.left || box.right > frame.right) {
          this.drawing.scrollLeft += (box.left + box.right - frame.left - frame.right) / 2;
        }
      }
    }

    // The message goes along its edges, one after the other.
    move(edges, item, moving) {
      if (this.dot) this.dot.remove();
      this.dot = null;
      if (!moving || !edges.length || calm.matches) return;
      const ways = edges.map((edge) => ({ path: this.edges.get(edge < 0 ? -1 - edge : edge), back: edge < 0 }));
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
      this.svg.append(dot);
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

    // Going about ---------------------------------------------------------------------------------------------------

    nextEvent(by) {
      let to = this.position + by;
      while (to > 0 && to < this.last && this.items[to].hidden) to += by;
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

    find(text) {
      const wanted = text.trim().toLowerCase();
      const ids = this.items.map((item) => item.querySelector("i"));
      const exact = ids.some((id) => id && id.textContent.toLowerCase() === wanted);
      let count = 0;
      this.items.forEach((item, index) => {
        const hit = !wanted || (exact ? ids[index]?.textContent.toLowerCase() === wanted : item.textContent.toLowerCase().includes(wanted));
        item.hidden = !hit;
        count += hit;
      });
      this.matches.textContent = wanted ? `${number(count)} of ${number(this.items.length)}` : "";
      this.clear.hidden = !wanted;
    }

    setFilter(text) {
      this.filter.value = text;
      this.find(text);
    }

    listen(find) {
      this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
      this.play.addEventListener("click", () => this.toggle());
      find(".previous").addEventListener("click", () => this.nextEvent(-1));
      find(".next").addEventListener("click", () => this.nextEvent(1));
      find(".previous-step").addEventListener("click", () => this.nextStep(-1));
      find(".next-step").addEventListener("click", () => this.nextStep(1));
      this.filter.addEventListener("input", () => this.find(this.filter.value));
      this.clear.addEventListener("click", () => {
        this.setFilter("");
        this.filter.focus();
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
          this.go(chart.byTime ? this.times.findLastIndex((time) => time <= at) : Math.round(at));
        });
      }
    }
  }

  const runs = [...document.querySelectorAll("article.run")].map((article) => new Run(article));
  const tabs = [];
  const help = document.querySelector(".help");
  let shown = 0;

  function select(index, focus) {
    if (!runs.length) return;
    if (runs[shown].timer) runs[shown].toggle(false);
    shown = (index + runs.length) % runs.length;
    runs.forEach((run, at) => (run.article.hidden = at !== shown));
    tabs.forEach((tab, at) => {
      tab.setAttribute("aria-selected", String(at === shown));
      tab.tabIndex = at === shown ? 0 : -1;
    });
    runs[shown].start();
    document.title = `${runs[shown].name} \u00b7 routesim`;
    if (tabs.length) tabs[shown].scrollIntoView({ block: "nearest", inline: "nearest" });
    if (focus && tabs.length) tabs[shown].focus();
  }

  function makeTabs() {
    if (runs.length < 2) return;
    const bar = document.querySelector(".tabs");
    bar.setAttribute("role", "tablist");
    runs.forEach((run, index) => {
      const tab = document.createElement("button");
      const sign = { ok: "\u2714", ran: "!", held: "!" }[run.article.dataset.verdict] || "\u2718";
      tab.type = "button";
      tab.id = `tab-${index}`;
      tab.textContent = `${sign} ${run.name}`;
      tab.title = run.name;
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", `run-${index}`);
      run.article.id = `run-${index}`;
      run.article.setAttribute("role", "tabpanel");
      run.article.setAttribute("aria-labelledby", tab.id);
      tab.addEventListener("click", () => select(index));
      bar.append(tab);
      tabs.push(tab);
    });
    bar.hidden = false;
  }

  function onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || help.open) return;
    const run = runs[shown];
    const target = event.target;
    if (target.matches("select")) return;
    if (target.matches(".filter")) {
      if (event.key === "Escape") {
        run.setFilter("");
        target.blur();
      }
      return;
    }
    const does = {
      "?": () => help.showModal(), "[": () => select(shown - 1), "]": () => select(shown + 1),
    };
    if (target.matches("[role=tab]")) {
      does.ArrowLeft = () => select(shown - 1, true);
      does.ArrowRight = () => select(shown + 1, true);
      does.Home = () => select(0, true);
      does.End = () => select(runs.length - 1, true);
    } else if (run?.replay) {
      const by = (amount) => () => (event.shiftKey ? run.nextStep(amount) : run.nextEvent(amount));
      const sideways = target.matches(".scrolls, .drawing") && target.scrollWidth > target.clientWidth;
      if (!sideways) Object.assign(does, { ArrowLeft: by(-1), ArrowRight: by(1) });
      if (target.matches(".slider, .trace")) Object.assign(does, { ArrowUp: by(-1), ArrowDown: by(1) });
      if (target.matches(".slider")) Object.assign(does, { ArrowUp: by(1), ArrowDown: by(-1) });
      Object.assign(does, {
        Home: () => run.go(0), End: () => run.go(run.last), "/": () => run.filter.focus(), Escape: () => run.setFilter(""),
      });
      if (!target.matches("button")) does[" "] = () => run.toggle();
    }
    if (does[event.key]) {
      event.preventDefault();
      does[event.key]();
    }
  }

  document.documentElement.classList.add("js");
  makeTabs();
  select(0);
  document.addEventListener("keydown", onKey);
  const ask = document.querySelector(".ask-help");
  ask.hidden = false;
  ask.addEventListener("click", () => help.showModal());
  help.querySelector("button").addEventListener("click", () => help.close());
})();
