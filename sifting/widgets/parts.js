// Controls and pictures of the explorers: DOM and numbers in, DOM out; of the model, only when it changes.

const h = (tag, props = {}, ...kids) => {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props))
    if (key in node && !key.includes("-")) node[key] = value;
    else node.setAttribute(key, value);
  node.append(...kids);
  return node;
};
// What takes the focus must say so to JupyterLab, or its command mode takes the keys.
const focusable = (node) => { node.dataset.lmSuppressShortcuts = "true"; return node; };
const percent = (x) => `${(100 * x).toPrecision(3)} %`;
const count = (n) => n.toLocaleString("en-US");
const minus = (number) => `${number}`.replace("-", "−");
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
const GRAY = [186, 194, 201]; // what there is not; seen on light pages and on dark ones, and no color of viridis

const setter = (model) => (values) => {
  for (const [key, value] of Object.entries(values)) model.set(key, value);
  model.save_changes();
};
const say = (status, text) => { if (status.textContent !== text) status.textContent = text; }; // once, where it is read aloud

// --- parts

const iconButton = (onClick) => {
  const node = focusable(h("button", { type: "button", className: "mx-play" }));
  node.addEventListener("click", onClick);
  const set = (label, path) => {
    node.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${path}"/></svg>`;
    node.setAttribute("aria-label", label);
  };
  return { node, set };
};

const textButton = (label, onClick) => {
  const node = focusable(h("button", { type: "button", className: "mx-act", textContent: label }));
  node.addEventListener("click", onClick);
  return node;
};

const slider = (label, onInput) => {
  const input = focusable(h("input", { type: "range", min: 0, step: 1, "aria-label": label }));
  const value = h("span", { className: "mx-value" });
  input.addEventListener("input", () => onInput(+input.value));
  const set = (at, max, text) => {
    input.max = max;
    input.value = at;
    input.setAttribute("aria-valuetext", text);
    input.style.setProperty("--mx-at", max ? at / max : 0);
    value.textContent = text;
  };
  const node = h("label", { className: "mx-slider" }, h("b", { textContent: label }), input, value);
  return { node, input, set };
};

const segments = (name, label, onChange) => {
  const group = h("div", { className: "mx-segments", role: "radiogroup", "aria-label": label });
  let made = "";
  const set = (value, options) => { // options: [[value, text, why it cannot be chosen]]
    if (JSON.stringify(options) !== made) {
      made = JSON.stringify(options);
      group.replaceChildren(...options.map(([option, text, disabled]) => {
        const input = focusable(h("input", { type: "radio", name, value: option, disabled: !!disabled }));
        input.addEventListener("change", () => onChange(input.value));
        return h("label", { title: disabled || "" }, input, h("span", { textContent: text }));
      }));
    }
    for (const input of group.querySelectorAll("input")) input.checked = input.value === String(value);
  };
  const title = h("span", { textContent: label, "aria-hidden": "true" }); // the group has the name itself
  return { node: h("div", { className: "mx-choice" }, title, group), set };
};

const dropdown = (label, options, onChange) => {
  const choices = options.map(([value, textContent]) => h("option", { value, textContent }));
  const select = focusable(h("select", {}, ...choices)), title = h("span", { textContent: label });
  select.addEventListener("change", () => onChange(select.value));
  return { node: h("label", { className: "mx-choice" }, title, select), set: (value) => { select.value = value; } };
};

// Thumbnails as a listbox, so that one Tab enters it and arrows move inside.
// onClick: place -> ; moves: () -> { key: step }; onStep: (step, key) ->
const thumbnails = (id, label, size, { onClick, moves, onStep }) => {
  const nodes = Array.from({ length: size }, (_, n) => h("div", { id: `${id}-${n}`, role: "option" }, h("canvas")));
  const list = focusable(h("div", { className: "mx-thumbs", role: "listbox", tabIndex: 0, "aria-label": label }, ...nodes));
  list.addEventListener("click", (event) => {
    const n = nodes.indexOf(event.target.closest("[role=option]"));
    if (n >= 0) onClick(n);
  });
  list.addEventListener("keydown", (event) => {
    const step = moves()[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    onStep(step, event.key);
  });
  const describe = (n, label, selected) => {
    nodes[n].setAttribute("aria-selected", selected);
    nodes[n].setAttribute("aria-label", label);
    if (selected) list.setAttribute("aria-activedescendant", nodes[n].id);
  };
  const arrange = (columns, width) => {
    list.style.setProperty("--mx-columns", columns);
    list.style.setProperty("--mx-gap", `${clamp((list.clientWidth - columns * width) / (columns - 1), 4, 14)}px`);
    list.style.setProperty("--mx-thumb", `${width}px`);
  };
  return { list, nodes, describe, arrange };
};

const panel = (name, title, ...kids) => {
  const note = h("span");
  const heading = h("div", { className: "mx-title" }, h("strong", { textContent: title }), note);
  return { node: h("div", { className: `mx-panel mx-${name}` }, heading, ...kids), note };
};

// Numbers with their names: [[name, text]].
const tell = (node, facts) =>
  node.replaceChildren(...facts.map(([name, text]) => h("span", {}, h("b", { textContent: text }), ` ${name}`)));

// What the head of a chapter tells of the answer is folded, on the page and in JupyterLab; it opens as soon as `shown` is.
const answers = (el) => {
  let before = false;
  return (shown) => {
    const fold = shown && !before && el.closest("article, .jp-Notebook")?.querySelector("details.answer.folded");
    if (fold) fold.open = true;
    before = shown;
  };
};

// A color with its meaning, for a legend.
const part = (color, words) => {
  const mark = h("i");
  mark.style.background = `rgb(${color})`;
  return h("span", {}, mark, words);
};

// --- pictures

// A pixel of an image is a whole number of pixels of the screen wherever there is room for one.
const crisp = (pixels, room) => {
  const times = Math.floor((room * devicePixelRatio) / pixels);
  return times ? (times * pixels) / devicePixelRatio : room;
};

const paint = (canvas, width, height, rgba) => {
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(new ImageData(rgba, width, height), 0, 0);
};

// Column and row, from above, of the pixel of a canvas that an event points at.
const cellUnder = ({ offsetX, offsetY }, { width, height, clientWidth, clientHeight }) => [
  clamp(Math.floor((offsetX / clientWidth) * width), 0, width - 1),
  clamp(Math.floor((offsetY / clientHeight) * height), 0, height - 1),
];

// Channel-first values and a map from value to byte, as an image: red, green, blue, or one gray.
const image = (canvas, values, [channels, height, width], byte) => {
  const size = height * width, rgba = new Uint8ClampedArray(4 * size).fill(255), stronger = (a, b) => (Math.abs(b) > Math.abs(a) ? b : a);
  const of = (c, i) => { // what are no colors is one shade, of the channel that has most there
    if (channels === 3) return values[c * size + i];
    let found = values[i];
    for (let other = 1; other < channels; other++) found = stronger(found, values[other * size + i]);
    return found;
  };
  for (let c = 0; c < 3; c++) for (let i = 0; i < size; i++) rgba[4 * i + c] = byte(of(c, i));
  paint(canvas, width, height, rgba);
};
const paintMask = (canvas, kept, shape) => image(canvas, kept, shape, (v) => 255 * v);
// Zero, so every pruned weight, is the same gray in every unit; the largest weight is white or black.
const paintWeights = (canvas, weights, shape) => {
  const top = weights.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
  image(canvas, weights, shape, (w) => 127.5 * (1 + w / (top || 1)));
  return top;
};
const paintDisplacements = (canvas, S, [, height, width]) => {
  const middle = (S.length - 1) / 2, rgba = new Uint8ClampedArray(4 * S.length);
  const top = S.reduce((most, s, i) => (i === middle ? most : Math.max(most, s)), 0);
  S.forEach((s, i) => i !== middle && rgba.set([...viridis(s / (top || 1)), 255], 4 * i));
  paint(canvas, 2 * width - 1, 2 * height - 1, rgba);
  return top;
};

// A chart that fills its node, or has a size of its own: grid, ticks, and what `marks` draws with the two scales, given in
// [0, 1].
const chart = (node, label, { x, y, xs, ys, xTitle, yTitle = "", size }, marks) => {
  const [width, height] = size ?? [node.clientWidth, node.clientHeight];
  const left = 42, right = width - 8, top = yTitle ? 24 : 8, bottom = height - 34;
  const X = (v) => +(left + (right - left) * x(v)).toFixed(1), Y = (v) => +(bottom - (bottom - top) * y(v)).toFixed(1);
  const text = (x, y, words, end) => `<text x="${x}" y="${y}" text-anchor="${end ?? "middle"}">${words}</text>`;
  const row = ([v, words]) =>
    `<path class="mx-grid" d="M${left},${Y(v)}H${right}"/>${text(left - 6, Y(v) + 4, words, "end")}`;
  const column = ([v, words]) =>
    `<path class="mx-axis" d="M${X(v)},${bottom}v4"/>${text(X(v), bottom + 16, words)}`;
  node.innerHTML = `<svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
    ${ys.map(row).join("")}${xs.map(column).join("")}
    ${text((left + right) / 2, height - 2, xTitle)}${text(0, 12, yTitle, "start")}
    ${marks(X, Y, top, bottom)}
    <path class="mx-axis" d="M${left},${bottom}H${right}"/></svg>`;
  return X;
};

// In-degrees of all units as bars on a log axis, on which one unit stays visible, and what random
// pruning would give as a line. `mine` is that of the unit that stands out; -1: none does.
const drawDegrees = (node, label, { degrees, expected, mine }) => {
  const likely = [...expected.keys()].filter((k) => expected[k] > 0.5);
  let low = Math.min(...degrees, ...likely), high = Math.max(...degrees, ...likely);
  if (high - low < 12) {
    high = Math.min(expected.length - 1, high + 6);
    low = Math.max(0, Math.min(low, high - 6) - 6);
  }
  const step = Math.ceil((high - low + 1) / 26), bins = Math.ceil((high - low + 1) / step); // whole numbers
  const found = histogram(degrees, low, step, bins), random = new Float64Array(bins);
  for (let k = low; k < Math.min(expected.length, low + bins * step); k++)
    random[Math.floor((k - low) / step)] += expected[k];
  const most = Math.max(10, ...found, ...random), floor = 0.6, own = Math.floor((mine - low) / step);
  const scale = {
    x: (v) => (v - low) / (bins * step),
    y: (v) => Math.log(Math.max(v, floor) / floor) / Math.log((1.15 * most) / floor),
    xs: ticks(low, high, Math.max(2, node.clientWidth / 60)).map((v) => [v + 0.5, count(v)]),
    ys: [1, 10, 100, 1000, 10000].filter((v) => v <= most).map((v) => [v, count(v)]),
    xTitle: "inputs kept",
  };
  chart(node, label, scale, (X, Y, top, bottom) => {
    const edge = (b) => X(low + b * step), bars = [...found.keys()].filter((b) => found[b]);
    const drawn = bars.map((b) => `<path class="mx-bar${b === own ? " mx-mine" : ""}"
      d="M${edge(b) + 0.5},${bottom}V${Y(found[b])}H${edge(b + 1) - 0.5}V${bottom}Z"/>`).join("");
    const stair = (n, b) => (n > floor ? `V${Y(n)}H${edge(b + 1)}` : `V${bottom}M${edge(b + 1)},${bottom}`);
    return `${drawn}<path class="mx-random" d="M${edge(0)},${bottom}${Array.from(random, stair).join("")}V${bottom}"/>
      ${own >= 0 ? `<path class="mx-pointer" d="M${X(mine + 0.5)},${Y(found[own]) - 3}l-4.5,-7h9Z"/>` : ""}`;
  });
};

// Accuracy of all runs against the share of weights kept, from dense to sparse; the current run and level stand out.
const drawAccuracy = (node, label, runs, run, level) => {
  const all = runs.flatMap((r) => r.accuracy), least = Math.min(...runs.flatMap((r) => r.density));
  const span = Math.max(...all) - Math.min(...all) || 0.02;
  const low = Math.max(0, Math.min(...all) - 0.06 * span), high = Math.min(1, Math.max(...all) + 0.1 * span);
  const scale = {
    x: (v) => 0.02 + (0.96 * Math.log(v)) / (Math.log(least) || -1),
    y: (v) => (v - low) / (high - low),
    xs: [1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001].filter((v) => v >= least).map((v) => [v, +(100 * v).toPrecision(2)]),
    ys: ticks(100 * low, 100 * high, 5).map((v) => [v / 100, `${v} %`]),
    xTitle: "weights kept, %",
  };
  return chart(node, label, scale, (X, Y, top, bottom) => {
    const curve = (r) => "M" + r.accuracy.map((a, n) => `${X(r.density[n])},${Y(a)}`).join("L");
    const dot = (a, n) => `<circle class="mx-dot${n === level ? " mx-mine" : ""}" cx="${X(run.density[n])}" cy="${Y(a)}"
      r="${n === level ? 5 : 2}"/>`;
    return runs.filter((r) => r !== run).map((r) => `<path class="mx-curve mx-faint" d="${curve(r)}"/>`).join("") +
      `<path class="mx-cursor" d="M${X(run.density[level])},${top}V${bottom}"/>
      <path class="mx-curve" d="${curve(run)}"/>${run.accuracy.map(dot).join("")}`;
  });
};

// Draw whenever one of the model's keys or the room changes, and once a frame however much does; returns what ends it.
const keepDrawn = (model, keys, draw, root) => {
  let asked = 0;
  const refresh = () => { asked ||= requestAnimationFrame(() => { asked = 0; draw(); }); };
  const observer = new ResizeObserver(refresh);
  for (const key of keys) model.on(`change:${key}`, refresh);
  observer.observe(root);
  return () => {
    observer.disconnect();
    for (const key of keys) model.off(`change:${key}`, refresh);
  };
};
