// The mask explorer: one module, two hosts. JupyterLab runs it through anywidget, the static page
// through book/_static/anywidget-static.js; it uses nothing of either but model.get, set, on, off.

let views = 0; // for ids that differ between the explorers of a page

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
const percent = (x) => `${+(100 * x).toPrecision(3)} %`;
const count = (n) => n.toLocaleString("en-US");
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));

// --- parts

const slider = (label, onInput) => {
  const input = focusable(h("input", { type: "range", min: 0, step: 1 })), output = h("output");
  input.addEventListener("input", () => onInput(+input.value));
  const set = (value, max, text) => {
    input.max = max;
    input.value = value;
    input.setAttribute("aria-valuetext", text);
    input.style.setProperty("--mx-at", max ? value / max : 0);
    output.textContent = text;
  };
  return { node: h("label", { className: "mx-slider" }, h("span", { textContent: label }), input, output), input, set };
};

const segments = (name, label, onChange) => {
  const group = h("div", { className: "mx-segments", role: "radiogroup", "aria-label": label });
  let made = "";
  const set = (value, options) => { // options: [[value, text, disabled]]
    if (JSON.stringify(options) !== made) {
      made = JSON.stringify(options);
      group.replaceChildren(...options.map(([option, text, disabled]) => {
        const input = focusable(h("input", { type: "radio", name, value: option, disabled: !!disabled }));
        input.addEventListener("change", () => onChange(input.value));
        return h("label", {}, input, h("span", { textContent: text }));
      }));
    }
    for (const input of group.querySelectorAll("input")) input.checked = input.value === String(value);
  };
  return { node: h("div", { className: "mx-choice" }, h("span", { textContent: label, "aria-hidden": "true" }), group), set };
};

const dropdown = (label, options, onChange) => {
  const select = focusable(h("select", {}, ...options.map(([value, textContent]) => h("option", { value, textContent }))));
  select.addEventListener("change", () => onChange(select.value));
  return { node: h("label", { className: "mx-choice" }, h("span", { textContent: label }), select),
    set: (value) => { select.value = value; } };
};

const panel = (name, title, ...kids) => {
  const note = h("span");
  const heading = h("div", { className: "mx-title" }, h("strong", { textContent: title }), note);
  return { node: h("div", { className: `mx-panel mx-${name}` }, heading, ...kids), note };
};

// --- pictures

const paint = (canvas, width, height, rgba) => {
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(new ImageData(rgba, width, height), 0, 0);
};

// Channel-first values and a map from value to byte, as an image: red, green, blue, or one grey.
const image = (canvas, values, [channels, height, width], byte) => {
  const size = height * width, rgba = new Uint8ClampedArray(4 * size).fill(255);
  for (let c = 0; c < 3; c++)
    for (let i = 0, from = (channels === 3 ? c : 0) * size; i < size; i++) rgba[4 * i + c] = byte(values[from + i]);
  paint(canvas, width, height, rgba);
};
const paintMask = (canvas, kept, shape) => image(canvas, kept, shape, (v) => 255 * v);
// From the smallest weight, black, to the largest, white; pruned weights are 0 and take its grey.
const range = (weights) => weights.reduce(([low, high], w) => [Math.min(low, w), Math.max(high, w)], [0, 0]);
const paintWeights = (canvas, weights, shape) => {
  const [low, high] = range(weights);
  image(canvas, weights, shape, high > low ? (w) => (255 * (w - low)) / (high - low) : () => 128);
};
const paintDisplacements = (canvas, S, [, height, width]) => {
  const middle = (S.length - 1) / 2, rgba = new Uint8ClampedArray(4 * S.length);
  const top = S.reduce((most, s, i) => (i === middle ? most : Math.max(most, s)), 0);
  S.forEach((s, i) => i !== middle && rgba.set([...viridis(s / (top || 1)), 255], 4 * i));
  paint(canvas, 2 * width - 1, 2 * height - 1, rgba);
  return top;
};

// A chart of that size in pixels: axes, ticks, and marks drawn with the two scales.
const chart = (node, label, { x, y, xs, ys, xTitle }, marks) => {
  const width = node.clientWidth, height = node.clientHeight, left = 34, right = width - 8, top = 8, bottom = height - 34;
  const X = (v) => +(left + (right - left) * x(v)).toFixed(1), Y = (v) => +(bottom - (bottom - top) * y(v)).toFixed(1);
  node.innerHTML = `<svg width="${width}" height="${height}" role="img" aria-label="${label}">` +
    ys.map(([v, text]) => `<path class="mx-grid" d="M${left},${Y(v)}H${right}"/>` +
      `<text x="${left - 6}" y="${Y(v)}" dy=".32em" text-anchor="end">${text}</text>`).join("") +
    xs.map(([v, text]) => `<path class="mx-axis" d="M${X(v)},${bottom}v4"/>` +
      `<text x="${X(v)}" y="${bottom + 15}" text-anchor="middle">${text}</text>`).join("") +
    `<text x="${(left + right) / 2}" y="${height - 3}" text-anchor="middle">${xTitle}</text>` +
    marks(X, Y, { left, right, top, bottom }) + `<path class="mx-axis" d="M${left},${bottom}H${right}"/></svg>`;
  return X;
};

const drawDegrees = (node, label, { degrees, expected, mine }) => {
  // Whole bins, wide enough for 26 of them to hold every unit and what random pruning would give.
  const likely = [...expected.keys()].filter((k) => expected[k] > 0.5);
  let low = Math.min(...degrees, ...likely), high = Math.max(...degrees, ...likely);
  if (high - low < 12) [low, high] = [Math.max(0, low - 6), high + 6];
  const step = Math.ceil((high - low + 1) / 26), bins = Math.ceil((high - low + 1) / step);
  const found = histogram(degrees, low, step, bins), random = new Float64Array(bins);
  for (let k = low; k < Math.min(expected.length, low + bins * step); k++) random[Math.floor((k - low) / step)] += expected[k];
  const most = Math.max(10, ...found, ...random), floor = 0.6; // log axis: one unit stays visible
  const y = (v) => Math.log(Math.max(v, floor) / floor) / Math.log((1.15 * most) / floor);
  const powers = [1, 10, 100, 1000, 10000].filter((v) => v <= most).map((v) => [v, count(v)]);
  const xs = ticks(low, high, Math.max(2, node.clientWidth / 60)).map((v) => [v + 0.5, count(v)]);
  chart(node, label, { x: (v) => (v - low) / (bins * step), y, xs, ys: powers, xTitle: "inputs kept" }, (X, Y, box) => {
    let bars = "", line = "";
    for (let b = 0; b < bins; b++) {
      const from = X(low + b * step), to = X(low + (b + 1) * step), mark = mine >= low + b * step && mine < low + (b + 1) * step;
      if (found[b]) bars += `<path class="mx-bar${mark ? " mx-mine" : ""}" d="M${from + 0.5},${box.bottom}V${Y(found[b])}H${to - 0.5}V${box.bottom}Z"/>`;
      if (random[b] > floor) line += `M${from},${Y(random[b])}H${to}` + (random[b + 1] > floor ? `V${Y(random[b + 1])}` : `V${box.bottom}`);
      if (random[b] > floor && !(random[b - 1] > floor)) line += `M${from},${Y(random[b])}V${box.bottom}`;
    }
    const at = X(mine + 0.5), here = found[Math.floor((mine - low) / step)];
    return bars + `<path class="mx-random" d="${line}"/>` +
      `<path class="mx-pointer" d="M${at},${Y(here) - 3}l-4.5,-7h9Z"/>`;
  });
};

const drawAccuracy = (node, label, runs, run, level) => {
  const all = runs.flatMap((r) => r.accuracy), span = Math.max(...all) - Math.min(...all) || 0.02;
  const low = Math.max(0, Math.min(...all) - 0.06 * span), high = Math.min(1, Math.max(...all) + 0.1 * span);
  const least = Math.min(...runs.flatMap((r) => r.density));
  const x = (v) => Math.log(v) / (Math.log(least) || -1) * 0.96 + 0.02, y = (v) => (v - low) / (high - low);
  const xs = [1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001].filter((v) => v >= least * 0.98).map((v) => [v, +(100 * v).toPrecision(2)]);
  const ys = ticks(100 * low, 100 * high, 4).map((v) => [v / 100, v]);
  return chart(node, label, { x, y, xs, ys, xTitle: "weights kept, %" }, (X, Y, box) => {
    const curve = (r) => "M" + r.accuracy.map((a, n) => `${X(r.density[n])},${Y(a)}`).join("L");
    return runs.filter((r) => r !== run).map((r) => `<path class="mx-curve mx-faint" d="${curve(r)}"/>`).join("") +
      `<path class="mx-cursor" d="M${X(run.density[level])},${box.top}V${box.bottom}"/><path class="mx-curve" d="${curve(run)}"/>` +
      run.accuracy.map((a, n) => `<circle class="mx-dot${n === level ? " mx-mine" : ""}" cx="${X(run.density[n])}" cy="${Y(a)}" r="${n === level ? 5 : 2}"/>`).join("");
  });
};

// --- the widget

async function render({ model, el }) {
  const id = `mx${++views}`, shape = model.get("shape"), gallery = model.get("gallery");
  const inputs = shape.reduce((a, b) => a * b), runs = await Promise.all(model.get("runs").map(unpack));
  const set = (values) => {
    for (const [key, value] of Object.entries(values)) model.set(key, value);
    model.save_changes();
  };

  // What is shown now, from the model alone; but which page of the gallery is a matter of this view.
  const now = () => {
    const run = runs[model.get("run")] ?? runs[0];
    const layer = run.layers[model.get("layer") - 1] ?? run.layers[0], first = layer === run.layers[0];
    const level = clamp(model.get("level"), 0, run.levels), slots = ranking(layer, level, model.get("order"));
    const rank = Math.max(0, slots.findIndex((slot) => layer.shown[slot] === model.get("unit")));
    const degrees = layer.degrees.subarray(level * layer.units, (level + 1) * layer.units);
    const weighted = first && run.bytes.length > 0;
    return { run, layer, first, level, slots, rank, degrees, weighted, slot: slots[rank],
      unit: layer.shown[slots[rank]], show: weighted ? model.get("show") : "mask" };
  };
  let page = 0;
  const choose = (rank) => { // by hand: the gallery turns to the page of the unit
    const { layer, slots } = now();
    page = Math.floor(clamp(rank, 0, slots.length - 1) / gallery);
    set({ unit: layer.shown[slots[clamp(rank, 0, slots.length - 1)]] });
  };
  const restart = (values) => { // another run, layer or order: begin at its first unit
    set(values);
    choose(0);
  };

  // Playing
  let timer = 0;
  const button = focusable(h("button", { type: "button", className: "mx-play" }));
  const play = (on) => {
    clearInterval(timer);
    timer = 0;
    if (on) {
      const { level, run } = now();
      if (level === run.levels) set({ level: 0 });
      timer = setInterval(() => {
        const { level, run } = now();
        if (level < run.levels) set({ level: level + 1 });
        if (level + 1 >= run.levels) play(false);
      }, clamp(9000 / (run.levels + 1), 80, 700));
    }
    button.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${on ? "M4 3h3v10H4ZM9 3h3v10H9Z" : "M4.5 2.5v11l9-5.5Z"}"/></svg>`;
    button.setAttribute("aria-label", on ? "Pause" : "Play the levels");
    status.setAttribute("aria-live", on ? "off" : "polite"); // nobody wants 17 announcements in ten seconds
  };
  button.addEventListener("click", () => play(!timer));

  // Controls
  const level = slider("Level", (value) => { play(false); set({ level: value }); });
  level.input.addEventListener("keydown", (event) => {
    if (event.key === " ") { event.preventDefault(); play(!timer); }
  });
  const unit = slider("Unit", choose);
  const facts = h("div", { className: "mx-facts" });
  const run = dropdown("Run", runs.map(({ name }, n) => [n, name]), (value) => restart({ run: +value }));
  const layer = segments(`${id}-layer`, "Layer", (value) => restart({ layer: +value }));
  const show = segments(`${id}-show`, "Show", (value) => set({ show: value }));
  const order = dropdown("Order", [["level", "most inputs at this level"], ["last", "most inputs at the last level"],
    ["random", "at random"]], (value) => restart({ order: value }));

  // The gallery: a listbox, so that one Tab enters it and arrows move inside.
  const thumbs = Array.from({ length: gallery }, (_, n) => h("div", { id: `${id}-${n}`, role: "option" }, h("canvas")));
  const list = focusable(h("div", { className: "mx-thumbs", role: "listbox", tabIndex: 0, "aria-label": "Units" }, ...thumbs));
  let columns = 8;
  list.addEventListener("click", (event) => {
    const n = thumbs.indexOf(event.target.closest("[role=option]"));
    if (n >= 0) choose(page * gallery + n);
  });
  list.addEventListener("keydown", (event) => {
    const { rank, slots } = now(), here = rank - page * gallery, inside = here >= 0 && here < gallery;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, PageUp: -gallery, PageDown: gallery,
      Home: -rank, End: slots.length - 1 - rank }[event.key];
    if (step === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    choose(inside || event.key === "Home" || event.key === "End" ? rank + step : page * gallery);
  });

  // Panels
  const canvas = () => h("canvas", { role: "img" });
  const big = { mask: canvas(), weights: canvas(), pairs: canvas() };
  const plots = { degrees: h("div", { className: "mx-chart" }), accuracy: h("div", { className: "mx-chart" }) };
  const scale = { weights: h("div", { className: "mx-scale" }), pairs: h("div", { className: "mx-scale" }) };
  const legend = { mask: h("div", { className: "mx-legend" }) };
  const why = h("p", { className: "mx-why" });
  const frame = (node) => h("div", { className: "mx-frame" }, node);
  const panels = {
    gallery: panel("gallery", "Gallery", list),
    mask: panel("mask", "Mask", frame(big.mask), legend.mask),
    weights: panel("weights", "Weights", frame(big.weights), scale.weights, why),
    pairs: panel("pairs", "Displacements", frame(big.pairs), scale.pairs),
    degrees: panel("degrees", "In-degrees", plots.degrees),
    accuracy: panel("accuracy", "Accuracy", plots.accuracy),
  };
  panels.pairs.note.textContent = shape[0] > 1 ? "within a color" : "";
  panels.degrees.note.textContent = "units; dashed: random pruning";
  panels.accuracy.note.textContent = "%";
  const status = h("p", { className: "mx-status" });
  const choices = h("div", { className: "mx-choices" }, ...[runs.length > 1 && run.node, layer.node, show.node, order.node].filter(Boolean));
  const root = h("section", { className: "mx", "aria-label": "Mask explorer" },
    h("div", { className: "mx-time" }, button, level.node, facts), choices,
    h("div", { className: "mx-body" }, panels.gallery.node, h("div", { className: "mx-panel mx-unit" }, unit.node), status,
      ...["mask", "weights", "pairs", "degrees", "accuracy"].map((name) => panels[name].node)));

  // Pixels of an image are whole pixels of the screen.
  const crisp = (node, size, room) => {
    const dots = devicePixelRatio || 1, times = Math.floor((room * dots) / size);
    node.style.width = times ? `${(times * size) / dots}px` : "100%";
    return times ? (times * size) / dots : room;
  };
  const layout = () => {
    const [, height, width] = shape, room = list.clientWidth, high = root.clientWidth < 480 ? 300 : 340;
    let best = 0;
    for (const n of [4, 5, 8, 10, 20].filter((n) => gallery % n === 0)) {
      const size = crisp(list, width, room / n - 4), rows = Math.ceil(gallery / n);
      if (size > best && rows * (size * height / width + 6) <= high) [best, columns] = [size, n];
    }
    list.style.width = "";
    best ||= crisp(list, width, room / columns - 4);
    list.style.setProperty("--mx-columns", columns);
    list.style.setProperty("--mx-thumb", `${best}px`);
    for (const [name, node] of Object.entries(big)) {
      node.parentNode.style.aspectRatio = `${width} / ${height}`;
      crisp(node, name === "pairs" ? 2 * width - 1 : width, node.parentNode.clientWidth - 2);
    }
  };

  let X;
  const draw = () => {
    const { run: r, layer: l, first, level: n, slots, rank, degrees, weighted, slot, unit: u, show: how } = now();
    const kept = maskAt(l, slot, n), seen = kept.reduce((a, b) => a + b, 0), pages = Math.ceil(slots.length / gallery);
    page = Math.min(page, pages - 1);

    level.set(n, r.levels, `${n} of ${r.levels}`);
    unit.set(rank, slots.length - 1, `${rank + 1} of ${count(slots.length)}`);
    run.set(model.get("run"));
    layer.set(r.layers.indexOf(l) + 1, r.layers.map((_, i) => [i + 1, String(i + 1)]));
    show.set(how, [["mask", "mask"], ["weights", "weights", !weighted]]);
    order.set(model.get("order"));
    facts.replaceChildren(...[["weights kept", percent(r.density[n])], ["accuracy", percent(r.accuracy[n])]]
      .map(([name, value]) => h("span", {}, h("b", { textContent: value }), ` ${name}`)));

    thumbs.forEach((thumb, i) => {
      const at = slots[page * gallery + i], mine = at === slot;
      thumb.hidden = at === undefined;
      if (thumb.hidden) return;
      if (how === "mask") paintMask(thumb.firstChild, maskAt(l, at, n), shape);
      else paintWeights(thumb.firstChild, weightsAt(r, at, n), shape);
      thumb.setAttribute("aria-selected", mine);
      thumb.setAttribute("aria-label", `Unit ${l.shown[at]}, ${count(degrees[l.shown[at]])} inputs kept`);
    });
    const selected = thumbs.findIndex((thumb) => thumb.getAttribute("aria-selected") === "true" && !thumb.hidden);
    list.setAttribute("aria-activedescendant", selected < 0 ? "" : thumbs[selected].id);
    panels.gallery.note.textContent = `${page * gallery + 1}–${Math.min(slots.length, (page + 1) * gallery)} of ` +
      (slots.length < l.units ? `${count(slots.length)} units, drawn from ${count(l.units)}` : `${count(l.units)} units`);

    paintMask(big.mask, kept, shape);
    legend.mask.textContent = first ? `${count(seen)} of ${count(inputs)} inputs` : `sees ${count(seen)} of ${count(inputs)} pixels`;
    panels.mask.note.textContent = first ? "" : "effective";
    panels.weights.node.classList.toggle("mx-none", !weighted);
    why.textContent = first ? "This page does not hold the weights of this run." :
      "In a deeper layer the mask is the effective one: a pixel counts as kept while any path of kept weights " +
      "leads from it to the unit. Weights are shown in layer 1.";
    if (weighted) {
      const weights = weightsAt(r, slot, n), [low, high] = range(weights);
      paintWeights(big.weights, weights, shape);
      scale.weights.innerHTML = `<span>${low.toFixed(2)}</span><i class="mx-greys"></i><span>${high.toFixed(2)}</span>`;
    }
    const S = displacements(kept, shape), top = paintDisplacements(big.pairs, S, shape);
    scale.pairs.innerHTML = `<span>0</span><i class="mx-viridis"></i><span>${count(top)} pairs</span>`;

    const mine = degrees[u], total = degrees.reduce((a, b) => a + b, 0), density = total / l.units / l.inputs;
    const text = `At level ${n} of ${r.levels}, ${percent(r.density[n])} of the weights are left and the accuracy is ` +
      `${percent(r.accuracy[n])}. Unit ${u} of layer ${r.layers.indexOf(l) + 1} keeps ${count(mine)} of its ${count(l.inputs)} inputs` +
      (first ? "." : ` and sees ${count(seen)} of ${count(inputs)} pixel values.`);
    if (status.textContent !== text) status.textContent = text;
    big.mask.setAttribute("aria-label", `Mask of unit ${u}: ${count(seen)} of ${count(inputs)} inputs kept`);
    big.weights.setAttribute("aria-label", `Weights of unit ${u} after training`);
    big.pairs.setAttribute("aria-label", `How often two kept inputs of unit ${u} lie at each displacement: ${count(top)} times at most`);
    const expected = binomial(l.inputs, density).map((p) => p * l.units);
    drawDegrees(plots.degrees, `In-degrees of ${count(l.units)} units; unit ${u} keeps ${mine} inputs, the mean is ${(total / l.units).toFixed(1)}`,
      { degrees, expected, mine });
    X = drawAccuracy(plots.accuracy, `Accuracy against the fraction of weights kept; level ${n} is marked`, runs, r, n);
  };
  plots.accuracy.addEventListener("pointerdown", (event) => {
    const { run: r } = now(), at = event.clientX - plots.accuracy.getBoundingClientRect().left;
    const gaps = r.density.map((d) => Math.abs(X(d) - at));
    play(false);
    set({ level: gaps.indexOf(Math.min(...gaps)) });
  });

  // Draw at most once a frame, and only what changed last.
  let frameAsked = 0;
  const refresh = () => { frameAsked ||= requestAnimationFrame(() => { frameAsked = 0; draw(); }); };
  const keys = ["run", "layer", "level", "unit", "show", "order"];
  for (const key of keys) model.on(`change:${key}`, refresh);
  play(false);
  el.append(root);
  const observer = new ResizeObserver(() => { layout(); draw(); });
  observer.observe(root);
  return () => {
    play(false);
    observer.disconnect();
    for (const key of keys) model.off(`change:${key}`, refresh);
  };
}

export default { render };
