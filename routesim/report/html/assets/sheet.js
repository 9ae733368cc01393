"use strict";
// A drawing in a frame: scrolled, dragged, enlarged.
const LARGEST = 4;
const FITTED = 1.35; // how much a small drawing is enlarged where there is room; smaller than it is none is ever made
const DRAG = 4; // pixels
const FADE = 40; // pixels
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

class Sheet {
  constructor(panel, svg) {
    this.panel = panel;
    this.box = panel.querySelector(".drawing");
    this.svg = svg;
    this.scale = null; // as large as there is room
    this.dragged = false;
  }

  size() {
    const { width, height } = this.svg.viewBox.baseVal;
    const scale = this.scale ?? clamp(this.room(width, height), 1, FITTED);
    this.svg.setAttribute("width", Math.floor(scale * width));
    this.svg.setAttribute("height", Math.floor(scale * height));
    this.fade();
    return scale;
  }

  // The edges behind which there is more of it fade out.
  fade() {
    const box = this.box;
    const more = { left: box.scrollLeft, right: box.scrollWidth - box.clientWidth - box.scrollLeft, top: box.scrollTop, bottom: box.scrollHeight - box.clientHeight - box.scrollTop };
    for (const [side, pixels] of Object.entries(more)) box.style.setProperty(`--${side}`, `${clamp(pixels, 0, FADE)}px`);
    box.classList.toggle("fades", Object.values(more).some((pixels) => pixels > 1));
  }

  room(width, height) {
    return Math.min(this.box.clientWidth / width, this.box.clientHeight / height);
  }

  zoom(by) {
    const before = this.size();
    const box = this.box;
    const middle = [(box.scrollLeft + box.clientWidth / 2) / before, (box.scrollTop + box.clientHeight / 2) / before];
    this.scale = by === 0 ? null : clamp(before * by, 1, LARGEST);
    const scale = this.size();
    box.scrollLeft = middle[0] * scale - box.clientWidth / 2;
    box.scrollTop = middle[1] * scale - box.clientHeight / 2;
  }

  enlarge(on = !this.panel.classList.contains("whole-screen")) {
    this.panel.classList.toggle("whole-screen", on);
    this.panel.querySelector(".enlarge")?.setAttribute("aria-pressed", String(on));
    this.size();
  }

  bringIntoView(shape) {
    const frame = this.box.getBoundingClientRect();
    const inner = shape.getBoundingClientRect();
    if (inner.left < frame.left || inner.right > frame.right) {
      this.box.scrollLeft += (inner.left + inner.right - frame.left - frame.right) / 2;
    }
    if (inner.top < frame.top || inner.bottom > frame.bottom) {
      this.box.scrollTop += (inner.top + inner.bottom - frame.top - frame.bottom) / 2;
    }
  }

  listen() {
    let from = null;
    this.box.addEventListener("scroll", () => this.fade(), { passive: true });
    this.box.addEventListener("pointerdown", (event) => {
      this.dragged = false;
      if (event.pointerType === "mouse" && event.button === 0) from = [event.clientX, event.clientY, this.box.scrollLeft, this.box.scrollTop];
    });
    addEventListener("pointermove", (event) => {
      if (!from) return;
      const [x, y, left, top] = from;
      this.dragged ||= Math.abs(event.clientX - x) + Math.abs(event.clientY - y) > DRAG;
      if (!this.dragged) return;
      this.box.scrollLeft = left - event.clientX + x;
      this.box.scrollTop = top - event.clientY + y;
    });
    addEventListener("pointerup", () => (from = null));
    this.box.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15);
    }, { passive: false });
    const press = (name, does) => this.panel.querySelector(name)?.addEventListener("click", does);
    press(".zoom-in", () => this.zoom(1.25));
    press(".zoom-out", () => this.zoom(0.8));
    press(".zoom-fit", () => this.zoom(0));
    press(".enlarge", () => this.enlarge());
    if (typeof ResizeObserver === "function") new ResizeObserver(() => this.box.clientWidth && this.size()).observe(this.panel);
  }
}

// The map of the states of an exploration: it has no moments, and begins with the way to what is broken.
class StateMap extends Sheet {
  constructor(panel) {
    super(panel, panel.querySelector("svg.map-of-states"));
    panel.querySelector(".tools").hidden = false;
    this.listen();
    this.box.addEventListener("keydown", (event) => {
      const by = { "+": 1.25, "-": 0.8, 0: 0 }[event.key];
      if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.stopPropagation();
      this.zoom(by);
    });
    addEventListener("keydown", (event) => event.key === "Escape" && this.enlarge(false));
    this.size();
    const way = this.svg.querySelector(".numbered");
    if (way) this.box.scrollTop = way.getBoundingClientRect().top - this.box.getBoundingClientRect().top - this.box.clientHeight / 2;
  }

  // Its frame is as high as it is, up to a limit, except in the whole window.
  room(width, height) {
    return this.panel.classList.contains("whole-screen") ? super.room(width, height) : 1;
  }
}
