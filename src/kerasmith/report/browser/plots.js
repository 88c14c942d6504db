// Draws every `figure.plot` of a page with uPlot: hover together, zoom, pan, hide, logarithmic axis, keyboard, table, print.
(() => {
  "use strict";
  const MANY = 12, NEAREST = 6, MOST_ROWS = 200, MOST_COLUMNS = 20, HEIGHT = 250;
  const plots = [];
  let printing = false;

  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  // On paper the ground is white, whatever the screen has.
  const css = (name, light) => (!printing && getComputedStyle(document.documentElement).getPropertyValue(name).trim()) || light;
  const LIGHT = JSON.parse(document.documentElement.dataset.series || '["#0072b2"]');
  const colour = (index) => css(`--series-${(index % LIGHT.length) + 1}`, LIGHT[index % LIGHT.length]);
  const finite = (value) => typeof value === "number" && Number.isFinite(value);
  const numeral = (value) => {
    if (!finite(value)) return value === null || value === undefined ? "–" : String(value);
    if (Number.isInteger(value) && Math.abs(value) < 1e7) return value.toLocaleString("en");
    const size = Math.abs(value);
    if (size < 1e-4 || size >= 1e7) return value.toExponential(3).replace(/\.?0+e/, "e").replace("e+", "e");
    return size >= 0.1 && size < 10 ? value.toFixed(4) : String(+value.toPrecision(4));
  };
  const tick = (value) => {
    const size = Math.abs(value);
    return value === 0 || (size >= 1e-3 && size < 1e5) ? String(+value.toPrecision(6)) : value.toExponential().replace("e+", "e");
  };

  // Marks of a logarithmic axis: powers of ten, of one decade or two the 2s and 5s too; even steps within a decade.
  const logMarks = (low, high) => {
    const first = Math.floor(Math.log10(low)), last = Math.floor(Math.log10(high));
    const step = Math.ceil((last - first + 1) / 9), leads = Math.log10(high / low) < 2.2 ? [1, 2, 5] : [1], marks = [];
    for (let power = first; power <= last; power += step) marks.push(...leads.map((lead) => Number(`${lead}e${power}`)));
    const inside = marks.filter((mark) => mark >= low && mark <= high);
    return inside.length > 1 ? inside : [1, 3, 5, 7].map((eighths) => Number((low + ((high - low) * eighths) / 8).toPrecision(3)));
  };

  class Plot {
    constructor(figure) {
      this.figure = figure;
      this.spec = JSON.parse(figure.querySelector("script").textContent);
      this.x = this.spec.x;
      this.log = { x: this.spec.log_x, y: this.spec.log_y };
      this.shown = this.spec.series.map((one) => !one.hidden);
      this.group = figure.dataset.sync || "";
      this.view = null;
      this.busy = false;
      this.build();
    }

    build() {
      const { figure, spec } = this;
      figure.querySelector(".said").classList.add("unseen");
      this.tools = make("span", { class: "tools", role: "group", "aria-label": `view of ${spec.title || "the chart"}` });
      const tool = (text, label, action) => {
        // Who speaks to the browser says what stands on the button.
        const name = /[a-z]/.test(text) ? `${text}: ${label}` : label;
        const button = make("button", { type: "button", title: label, "aria-label": name }, text);
        button.addEventListener("click", action);
        this.tools.append(button);
        return button;
      };
      this.logButton = tool("log", "logarithmic axis", () => this.toggleLog());
      tool("−", "zoom out", () => this.zoom(2));
      tool("+", "zoom in", () => this.zoom(0.5));
      tool("◂", "to the left", () => this.pan(-0.25));
      tool("▸", "to the right", () => this.pan(0.25));
      tool("all", "show everything again", () => this.look(null));
      figure.querySelector("figcaption").append(this.tools);
      this.readout = make("p", { class: "readout" });
      this.stage = make("div", {
        class: "stage", tabindex: "0", role: "application", "aria-label": `${spec.title || "chart"}: ${this.summary()}`,
        "aria-roledescription": "line chart",
      });
      this.stage.title = "Drag to zoom, shift and drag to move, double click for all. Keys: arrows, + and −, shift with arrows, 0, L";
      figure.insertBefore(this.stage, figure.querySelector("script"));
      this.stage.before(this.readout);
      this.legend();
      this.table();
      this.stage.addEventListener("keydown", (event) => this.key(event));
      this.draw();
      new ResizeObserver(() => this.fit()).observe(this.stage);
    }

    summary() {
      return this.figure.querySelector(".said").textContent.trim();
    }

    values(index) {
      const given = this.spec.series[index].values;
      return given.map((value) => (finite(value) && (!this.log.y || value > 0) ? value : null));
    }

    width() {
      return Math.max(200, Math.floor(this.stage.clientWidth));
    }

    draw() {
      if (this.u) this.u.destroy();
      const { spec } = this;
      const data = [this.x, ...spec.series.map((_, index) => this.values(index))];
      const axis = (label, log, more) => ({
        stroke: () => css("--soft", "#5f6770"), font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif",
        grid: { stroke: () => css("--grid", "#eaecef"), width: 1 }, ticks: { stroke: () => css("--grid", "#eaecef"), width: 1 },
        label: label || undefined, labelSize: label ? 20 : 0, labelGap: label ? 2 : 0,
        values: (u, marks) => marks.map((mark) => (mark === null ? "" : tick(mark))), ...more(log),
      });
      const sparse = (log) => (log ? { splits: (u, axis, low, high) => logMarks(low, high), filter: (u, marks) => marks } : {});
      const whole = this.x.every(Number.isInteger);
      const size = (u, labels) => Math.max(36, 20 + 7 * Math.max(0, ...(labels || []).map((text) => text.length)));
      this.u = new uPlot({
        width: this.width(), height: HEIGHT, legend: { show: false }, padding: [10, 14, 0, 0],
        cursor: {
          drag: { x: true, y: false, setScale: true },
          focus: { prox: spec.series.length > 1 ? 24 : -1 },
          points: { size: 7 },
          sync: this.group
            ? { key: this.group, setSeries: false, scales: ["x", null], filters: { pub: (type) => !/mouse(down|up)|dblclick/.test(type) } }
            : undefined,
          bind: {
            mousedown: (u, target, handler) => (event) => (event.shiftKey ? this.grab(event) : handler(event)),
            dblclick: () => () => this.look(null),
          },
        },
        focus: { alpha: spec.series.length > MANY ? 0.15 : 0.35 },
        scales: {
          x: { time: false, distr: this.log.x ? 3 : 1, range: (u, low, high) => this.span(low, high) },
          y: { distr: this.log.y ? 3 : 1, range: (u, low, high) => this.room(low, high) },
        },
        axes: [
          axis(spec.x_label, this.log.x, (log) => ({ size: 32, ...sparse(log), ...(whole && !log ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6, 1e7] } : {}) })),
          axis(spec.y_label, this.log.y, (log) => ({ size, ...sparse(log) })),
        ],
        series: [{}, ...spec.series.map((one, index) => ({
          label: one.name, show: this.shown[index], width: spec.series.length > MANY ? 1 / devicePixelRatio : 2, stroke: () => colour(one.colour),
          dash: one.dashed ? [6, 4] : undefined, spanGaps: false, ...this.points(data[index + 1], one), ...this.bars(one),
        }))],
        hooks: {
          draw: [(u) => this.annotate(u)],
          setCursor: [() => this.read()],
          setScale: [(u, key) => key === "x" && this.zoomed(u)],
        },
      }, data, this.stage);
      this.u.root.setAttribute("aria-hidden", "true");
      if (this.view) this.u.setScale("x", this.view);
      this.logButton.setAttribute("aria-pressed", String(this.log.y));
      this.read();
    }

    // A value between two gaps is a dot; so is each of a few.
    points(values, one) {
      const alone = [];
      values.forEach((value, i) => {
        if (value !== null && (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null) alone.push(i);
      });
      const chosen = one.dots ? values.flatMap((value, i) => (value === null ? [] : [i])) : alone;
      return { points: { show: chosen.length > 0, filter: () => chosen, size: 6, fill: () => colour(one.colour) } };
    }

    // Bars as wide as they are said to be, instead of a line.
    bars(one) {
      if (one.line === false) return { paths: () => null };
      if (!one.bars) return {};
      const paths = (u, index, first, last) => {
        const path = new Path2D(), floor = u.valToPos(u.scales.y.min, "y", true);
        for (let i = first; i <= last; i++) {
          if (u.data[index][i] === null) continue;
          const [left, right] = one.bars[i].map((at) => u.valToPos(at, "x", true)), top = u.valToPos(u.data[index][i], "y", true);
          path.rect(left + 1, top, Math.max(right - left - 2, 1), floor - top);
        }
        return { stroke: path, fill: path, flags: 3 };
      };
      return { paths, width: 1, fill: () => colour(one.colour) + "99", points: { show: false } };
    }

    span(low, high) {
      const whole = this.spec.x_bounds;
      if (whole && (low === null || (low === this.x[0] && high === this.x[this.x.length - 1]))) return whole;
      if (low === null) return [0, 1];
      if (low !== high) return [low, high];
      return this.log.x ? [low / 2, high * 2] : [low - 1, high + 1];
    }

    room(low, high) {
      if (this.spec.bounds) return this.spec.bounds;
      if (low === null) return this.log.y ? [0.1, 1] : [0, 1];
      if (this.log.y) {
        const pad = Math.max(Math.pow(high / low, 0.06), 1.05);
        return [Math.max(low / pad, 1e-307), Math.min(high * pad, 1e307)];
      }
      const span = high - low, pad = span > 1e-9 * Math.max(Math.abs(low), Math.abs(high)) ? 0.06 * span : Math.abs(low) * 0.2 || 1;
      // Losses and scores do not go below 0: no room is opened there for them.
      return [low >= 0 ? Math.max(low - pad, 0) : low - pad, high + pad];
    }

    fit() {
      const width = printing ? 640 : this.width();
      if (this.u && Math.abs(this.u.width - width) > 1) this.u.setSize({ width, height: HEIGHT });
    }

    // Rings at the best values, and lines where something happened.
    annotate(u) {
      const { ctx } = u, ratio = uPlot.pxRatio, { left, top, width, height } = u.bbox;
      ctx.save();
      ctx.beginPath();
      ctx.rect(left, top - 8 * ratio, width, height + 8 * ratio);
      ctx.clip();
      if (this.spec.diagonal) {
        ctx.strokeStyle = css("--soft", "#5f6770");
        ctx.lineWidth = ratio;
        ctx.setLineDash([5 * ratio, 4 * ratio]);
        ctx.beginPath();
        ctx.moveTo(u.valToPos(0, "x", true), u.valToPos(0, "y", true));
        ctx.lineTo(u.valToPos(1, "x", true), u.valToPos(1, "y", true));
        ctx.stroke();
        ctx.setLineDash([]);
      }
      for (const { at } of this.spec.events) {
        const x = u.valToPos(at, "x", true);
        ctx.strokeStyle = ctx.fillStyle = css("--bad", "#d55e00");
        ctx.lineWidth = ratio;
        ctx.setLineDash([3 * ratio, 3 * ratio]);
        ctx.beginPath();
        ctx.moveTo(x, top);
        ctx.lineTo(x, top + height);
        ctx.stroke();
        ctx.setLineDash([]);
        ctx.beginPath();
        ctx.moveTo(x - 5 * ratio, top - 7 * ratio);
        ctx.lineTo(x + 5 * ratio, top - 7 * ratio);
        ctx.lineTo(x, top + ratio);
        ctx.fill();
      }
      for (const [index, i] of this.spec.marks) {
        const value = u.data[index + 1][i];
        if (!this.shown[index] || value === null || value === undefined) continue;
        ctx.beginPath();
        ctx.arc(u.valToPos(this.x[i], "x", true), u.valToPos(value, "y", true), 5 * ratio, 0, 2 * Math.PI);
        ctx.fillStyle = css("--card", "#ffffff");
        ctx.strokeStyle = colour(this.spec.series[index].colour);
        ctx.lineWidth = 2 * ratio;
        ctx.fill();
        ctx.stroke();
      }
      ctx.restore();
    }

    // The values at the pointer; of many curves those nearest to it.
    read() {
      const i = this.u && this.u.cursor.idx, { series, x_label } = this.spec;
      this.readout.replaceChildren();
      if (i === null || i === undefined || !series.length) {
        this.readout.append(this.summary());
        return;
      }
      const here = series.map((one, index) => ({ one, index, value: one.values[i] })).filter(({ index }) => this.shown[index]);
      let listed = here;
      if (here.length > MANY) {
        const y = this.u.cursor.top >= 0 ? this.u.posToVal(this.u.cursor.top, "y") : 0;
        listed = here.filter(({ value }) => finite(value)).sort((a, b) => Math.abs(a.value - y) - Math.abs(b.value - y)).slice(0, NEAREST);
      }
      this.readout.append(make("b", {}, `${x_label || "x"} ${numeral(this.x[i])}`));
      for (const { one, value } of listed) {
        const swatch = make("i", {});
        swatch.style.background = colour(one.colour);
        this.readout.append(make("span", {}, swatch, `${one.name} ${numeral(value)}`));
      }
      if (listed.length < here.length) this.readout.append(`nearest ${listed.length} of ${here.length}`);
      for (const event of this.spec.events) {
        const distance = (at) => Math.abs(event.at - this.x[at]);
        const near = !(i > 0 && distance(i - 1) < distance(i)) && !(i + 1 < this.x.length && distance(i + 1) <= distance(i));
        if (near) this.readout.append(make("em", {}, event.text));
      }
    }

    // Looking closer.

    zoomed(u) {
      const { min, max } = u.scales.x, all = min <= this.x[0] && max >= this.x[this.x.length - 1];
      this.view = all ? null : { min, max };
      if (this.busy || !this.group) return;
      for (const other of plots) if (other !== this && other.group === this.group && other.u) other.follow(this.view);
    }

    follow(view) {
      this.busy = true;
      this.u.batch(() => this.u.setScale("x", view || this.everything()));
      this.busy = false;
      this.view = view;
    }

    everything() {
      const [min, max] = this.span(this.x[0] ?? null, this.x[this.x.length - 1] ?? null);
      return { min, max };
    }

    look(view) {
      this.u.setScale("x", view || this.everything());
    }

    moved(change) {
      const along = this.log.x ? [Math.log, Math.exp] : [(v) => v, (v) => v];
      const [low, high] = change(along[0](this.u.scales.x.min), along[0](this.u.scales.x.max));
      const all = this.everything(), view = { min: along[1](low), max: along[1](high) };
      this.look(view.min <= all.min && view.max >= all.max ? null : view);
    }

    zoom(factor) {
      const at = this.u.cursor.idx !== null && this.u.cursor.idx !== undefined ? this.x[this.u.cursor.idx] : null;
      this.moved((low, high) => {
        const own = at === null ? null : this.log.x ? Math.log(at) : at;
        const middle = own === null || own < low || own > high ? (low + high) / 2 : own;
        return [middle - (middle - low) * factor, middle + (high - middle) * factor];
      });
    }

    pan(share) {
      this.moved((low, high) => [low + share * (high - low), high + share * (high - low)]);
    }

    grab(start) {
      start.preventDefault();
      const { min, max } = this.u.scales.x, width = this.u.over.clientWidth;
      const move = (event) => {
        const share = (start.clientX - event.clientX) / width;
        if (this.log.x) this.look({ min: min * Math.pow(max / min, share), max: max * Math.pow(max / min, share) });
        else this.look({ min: min + share * (max - min), max: max + share * (max - min) });
      };
      const end = () => {
        document.removeEventListener("mousemove", move);
        document.removeEventListener("mouseup", end);
      };
      document.addEventListener("mousemove", move);
      document.addEventListener("mouseup", end);
    }

    toggleLog() {
      this.log.y = !this.log.y;
      this.draw();
    }

    key(event) {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const action = {
        "+": () => this.zoom(0.5), "=": () => this.zoom(0.5), "-": () => this.zoom(2), "0": () => this.look(null),
        Escape: () => this.look(null), l: () => this.toggleLog(), Home: () => this.go(0), End: () => this.go(this.x.length - 1),
      }[event.key];
      if (event.ctrlKey || event.metaKey || event.altKey || !(step || action)) return;
      event.preventDefault();
      if (action) action();
      else if (event.shiftKey) this.pan(0.25 * step);
      else {
        const now = this.u.cursor.idx;
        this.go(now === null || now === undefined ? (step > 0 ? 0 : this.x.length - 1) : now + step);
      }
    }

    go(index) {
      if (!this.x.length) return;
      const i = Math.min(Math.max(index, 0), this.x.length - 1);
      this.readout.setAttribute("aria-live", "polite");
      this.u.setCursor({ left: this.u.valToPos(this.x[i], "x"), top: this.u.over.clientHeight / 2 });
    }

    // The legend: a button for each curve; a click hides it, with shift or alt it shows no other.

    legend() {
      const { spec, figure } = this, place = spec.legend && document.querySelector(`[data-legend="${spec.legend}"]`);
      this.buttons = [];
      if (spec.legend && !place) return;
      if (spec.series.length < 2 || (place && place.childElementCount)) return;
      const box = place || make("div", {});
      box.classList.add("keys");
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", "curves");
      if (spec.series.length > MANY) {
        for (const [text, is] of [["show all", true], ["hide all", false]]) {
          const button = make("button", { type: "button", class: "every" }, text);
          button.addEventListener("click", () => this.spec.series.forEach((one) => this.toggle(one.name, is)));
          box.append(button);
        }
      }
      spec.series.forEach((one, index) => {
        const swatch = make("i", { class: one.dashed ? "dashed" : "" });
        swatch.style.setProperty("--of", `var(--series-${(one.colour % LIGHT.length) + 1})`);
        const button = make("button", { type: "button", "data-name": one.name, "aria-pressed": String(this.shown[index]) }, swatch, one.name);
        button.addEventListener("click", (event) => {
          if (event.shiftKey || event.altKey) this.spec.series.forEach((other) => this.toggle(other.name, other.name === one.name));
          else this.toggle(one.name, button.getAttribute("aria-pressed") !== "true");
        });
        box.append(button);
      });
      if (!place) this.stage.after(box);
    }

    toggle(name, is) {
      const own = !this.spec.legend;
      for (const plot of own ? [this] : plots.filter((other) => other.spec.legend === this.spec.legend)) plot.display(name, is);
      const box = own ? this.figure : document.querySelector(`[data-legend="${this.spec.legend}"]`);
      for (const button of box.querySelectorAll("button[data-name]")) {
        if (button.dataset.name === name) button.setAttribute("aria-pressed", String(is));
      }
    }

    display(name, is) {
      this.spec.series.forEach((one, index) => {
        if (one.name !== name || this.shown[index] === is) return;
        this.shown[index] = is;
        this.u.setSeries(index + 1, { show: is });
      });
    }

    // The same numbers as a table, made when somebody opens it.

    table() {
      const details = make("details", { class: "numbers" }, make("summary", {}, "as a table"));
      details.addEventListener("toggle", () => {
        if (!details.open) return;
        while (details.children.length > 1) details.lastChild.remove();
        const low = this.view ? this.view.min : -Infinity, high = this.view ? this.view.max : Infinity;
        const rows = this.x.map((at, i) => i).filter((i) => this.x[i] >= low && this.x[i] <= high);
        const every = Math.ceil(rows.length / MOST_ROWS) || 1;
        const columns = this.spec.series.filter((_, index) => this.shown[index]);
        const head = make("tr", {}, ...[this.spec.x_label || "x", ...columns.slice(0, MOST_COLUMNS).map((one) => one.name)].map((text) => make("th", { scope: "col" }, text)));
        const body = rows.filter((_, n) => n % every === 0).map((i) => make("tr", {}, make("th", { scope: "row" }, numeral(this.x[i])),
          ...columns.slice(0, MOST_COLUMNS).map((one) => make("td", { class: "number" }, numeral(one.values[i])))));
        const scroll = make("div", { class: "scroll", tabindex: "0" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)));
        details.append(scroll);
        const left = [every > 1 ? `every ${every}th row` : "", columns.length > MOST_COLUMNS ? `the first ${MOST_COLUMNS} of ${columns.length} curves` : ""].filter(Boolean);
        if (left.length) details.append(make("p", { class: "hint" }, `Shown: ${left.join(", ")}. Zoom in or hide curves for the others.`));
      });
      this.figure.append(details);
    }
  }

  const begin = (figure) => {
    if (figure.plot) return;
    figure.plot = new Plot(figure);
    plots.push(figure.plot);
    const model = plots.find((other) => other !== figure.plot && other.spec.legend && other.spec.legend === figure.plot.spec.legend);
    if (model) model.spec.series.forEach((one, index) => figure.plot.display(one.name, model.shown[index]));
    const near = plots.find((other) => other !== figure.plot && other.group && other.group === figure.plot.group && other.view);
    if (near) figure.plot.follow(near.view);
  };
  const figures = [...document.querySelectorAll("figure.plot")];
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) { watch.unobserve(entry.target); begin(entry.target); }
  }, { rootMargin: "200px" });
  for (const figure of figures) watch.observe(figure);

  const redraw = () => plots.forEach((plot) => { plot.fit(); plot.u.redraw(false); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("beforeprint", () => {
    printing = true;
    figures.filter((figure) => figure.offsetParent).forEach(begin);
    redraw();
  });
  addEventListener("afterprint", () => { printing = false; redraw(); });
})();
