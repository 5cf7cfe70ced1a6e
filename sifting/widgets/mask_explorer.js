// The mask explorer: one module, two hosts. JupyterLab runs it through anywidget, the static page
// through book/_static/anywidget-static.js; it uses nothing of either but model.get, set, on, off.

let views = 0; // for ids that differ between the explorers of a page

async function render({ model, el }) {
  const id = `mx${++views}`, shape = model.get("shape"), gallery = model.get("gallery");
  const inputs = shape.reduce((a, b) => a * b), runs = await Promise.all(model.get("runs").map(unpack));
  const set = setter(model), places = shuffled(shape[1] * shape[2]);
  const seen = (values) => (model.get("shuffle") ? moved(values, places) : values);

  // Mean localization of the units shown, once for every layer and level.
  const known = new Map();
  const local = (run, layer, level) => {
    const key = [runs.indexOf(run), run.layers.indexOf(layer), level, model.get("shuffle")].join();
    if (!known.has(key)) known.set(key, localization(layer.shown.map((_, slot) => seen(maskAt(layer, slot, level))), shape));
    return known.get(key);
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
  const button = iconButton(() => play(!timer));
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
    const shape = on ? "M4 3h3v10H4ZM9 3h3v10H9Z" : "M4.5 2.5v11l9-5.5Z";
    button.set(on ? "Pause" : "Play the levels", shape);
    status.setAttribute("aria-live", on ? "off" : "polite"); // nobody wants 17 announcements in ten seconds
  };

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
  const orders = [["level", "most inputs now"], ["last", "most inputs at the end"], ["random", "at random"]];
  const pixels = segments(`${id}-pixels`, "Pixels", (value) => set({ shuffle: value === "shuffled" }));
  const order = dropdown("Order", orders, (value) => restart({ order: value }));

  let columns = 8;
  const units = thumbnails(id, "Units", gallery, {
    onClick: (n) => choose(page * gallery + n),
    moves: () => {
      const { rank, slots } = now();
      return { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, PageUp: -gallery,
        PageDown: gallery, Home: -rank, End: slots.length - 1 - rank };
    },
    onStep: (step, key) => {
      const { rank } = now(), here = rank - page * gallery, inside = here >= 0 && here < gallery;
      choose(inside || key === "Home" || key === "End" ? rank + step : page * gallery);
    },
  });
  const { list, nodes: thumbs } = units;

  // Panels
  const canvas = () => h("canvas", { role: "img" });
  const big = { mask: canvas(), weights: canvas(), pairs: canvas() };
  const plots = { degrees: h("div", { className: "mx-chart" }), accuracy: h("div", { className: "mx-chart" }) };
  const scale = { weights: h("div", { className: "mx-scale" }), pairs: h("div", { className: "mx-scale" }) };
  const total = h("div", { className: "mx-scale" });
  const why = h("p", { className: "mx-why" });
  const frame = (node) => h("div", { className: "mx-frame" }, node);
  const panels = {
    gallery: panel("gallery", "Gallery", list),
    mask: panel("mask", "Mask", frame(big.mask), total),
    weights: panel("weights", "Weights", frame(big.weights), scale.weights, why),
    pairs: panel("pairs", "Displacements", frame(big.pairs), scale.pairs),
    degrees: panel("degrees", "In-degrees", plots.degrees),
    accuracy: panel("accuracy", "Accuracy", plots.accuracy),
  };
  panels.pairs.note.textContent = "S(d)";
  panels.degrees.note.textContent = "dashed: random";
  panels.accuracy.note.textContent = model.get("measure").replace(/ ?accuracy/, "");
  const status = h("p", { className: "mx-status" });
  const choices = [layer.node, show.node, pixels.node, order.node];
  if (runs.length > 1) choices.unshift(run.node);
  const { gallery: first, ...others } = panels;
  const root = h("section", { className: "mx", "aria-label": "Mask explorer" },
    h("div", { className: "mx-time" }, button.node, level.node, facts),
    h("div", { className: "mx-choices" }, ...choices),
    h("div", { className: "mx-body" }, first.node, h("div", { className: "mx-panel mx-unit" }, unit.node), status,
      ...Object.values(others).map((part) => part.node)));

  let width = 0;
  const layout = () => {
    const [, tall, wide] = shape, beside = crisp(wide, width / 16 - 8) >= 40; // thumbnails, in half the width
    root.classList.toggle("mx-wide", width >= 880 && beside);
    const room = list.clientWidth, limit = width < 480 ? 310 : 370;
    const sizes = [4, 5, 8, 10, 20].filter((n) => gallery % n === 0).map((n) => [crisp(wide, room / n - 4), n])
      .filter(([size, n]) => (gallery / n) * (size * (tall / wide) + 8) <= limit);
    const [size, best] = sizes.sort(([a], [b]) => b - a)[0] ?? [crisp(wide, room / 8 - 4), 8];
    columns = best;
    units.arrange(columns, size);
    const side = crisp(wide, big.mask.parentNode.clientWidth - 2);
    for (const node of Object.values(big)) node.style.width = `${side}px`;
    big.pairs.style.width = `${crisp(2 * wide - 1, big.pairs.parentNode.clientWidth - 2)}px`;
    root.style.setProperty("--mx-frame", `${(side * tall) / wide + 2}px`); // captions in one line
  };

  let X;
  const draw = () => {
    if (!root.clientWidth) return; // folded away
    if (width !== root.clientWidth) { width = root.clientWidth; layout(); }
    const { run: r, layer: l, first, level: n, slots, rank, degrees, weighted, slot, unit: u, show: how } = now();
    const kept = seen(maskAt(l, slot, n)), alive = kept.reduce((a, b) => a + b, 0);
    page = Math.min(page, Math.ceil(slots.length / gallery) - 1);

    level.set(n, r.levels, `${n} of ${r.levels}`);
    unit.set(rank, slots.length - 1, `${rank + 1} of ${count(slots.length)}`);
    run.set(model.get("run"));
    layer.set(r.layers.indexOf(l) + 1, r.layers.map((_, i) => [i + 1, String(i + 1)]));
    why.textContent = first ? "This page does not hold the weights of this run." :
      "In a deeper layer the mask is the effective one: a pixel counts as kept while any path of kept weights " +
      "leads from it to the unit. Weights are shown in layer 1.";
    show.set(how, [["mask", "mask"], ["weights", "weights", weighted ? "" : why.textContent]]);
    order.set(model.get("order"));
    pixels.set(model.get("shuffle") ? "shuffled" : "as they are", [["as they are", "as they are"], ["shuffled", "shuffled"]]);
    const Λ = local(r, l, n), near = Λ === null ? "–" : minus((+Λ.toFixed(3) + 0).toFixed(3));
    const measured = r.accuracy.length > 0;
    tell(facts, [["weights kept", percent(r.density[n])], ...(measured ? [[model.get("measure"), percent(r.accuracy[n])]] : []), ["Λ, mean of units", near]]);

    list.setAttribute("aria-activedescendant", "");
    thumbs.forEach((thumb, i) => {
      const at = slots[page * gallery + i], mine = at === slot;
      thumb.hidden = at === undefined;
      if (thumb.hidden) return;
      if (how === "mask") paintMask(thumb.firstChild, seen(maskAt(l, at, n)), shape);
      else paintWeights(thumb.firstChild, seen(weightsAt(r, at, n)), shape);
      units.describe(i, `Unit ${l.shown[at]}, ${count(degrees[l.shown[at]])} inputs kept`, mine);
    });
    panels.gallery.note.textContent = `${page * gallery + 1}–${Math.min(slots.length, (page + 1) * gallery)} of ` +
      `${count(slots.length)} ${slots.length < l.units ? `(${count(l.units)} in the layer)` : "units"}`;

    paintMask(big.mask, kept, shape);
    total.textContent = `${count(alive)} of ${count(inputs)} inputs`;
    panels.mask.note.textContent = first ? "" : "effective";
    panels.weights.node.classList.toggle("mx-none", !weighted);
    if (weighted) {
      const most = paintWeights(big.weights, seen(weightsAt(r, slot, n)), shape).toFixed(2);
      scale.weights.innerHTML = `<span>−${most}</span><i class="mx-grays"></i><span>${most}</span>`;
    }
    const S = displacements(kept, shape), top = paintDisplacements(big.pairs, S, shape);
    scale.pairs.innerHTML = `<span>0</span><i class="mx-viridis"></i><span>${count(top)} pairs</span>`;

    const mine = degrees[u], mean = degrees.reduce((a, b) => a + b, 0) / l.units;
    const text = `At level ${n} of ${r.levels}, ${percent(r.density[n])} of the weights are left` +
      (measured ? ` and the ${model.get("measure")} is ${percent(r.accuracy[n])}` : "") + `. Unit ${u} of layer ${r.layers.indexOf(l) + 1} keeps ${count(mine)} of its ` +
      `${count(l.inputs)} inputs` +
      (first ? "." : ` and is reached by ${count(alive)} of ${count(inputs)} pixel values.`);
    const moves = model.get("shuffle") ? " All units see the pixels in the same random order: they keep as many inputs as before, and " : " ";
    say(status, Λ === null ? text : `${text}${moves}${moves === " " ? "The" : "the"} mean Λ of the units shown is ${near}.`);
    big.mask.setAttribute("aria-label", `Mask of unit ${u}: ${count(alive)} of ${count(inputs)} inputs kept`);
    big.weights.setAttribute("aria-label", `Weights of unit ${u} after training`);
    big.pairs.setAttribute("aria-label", `Pairs of kept inputs of unit ${u}, in one ` +
      `channel, at each displacement: ${count(top)} at most`);
    const expected = binomial(l.inputs, mean / l.inputs).map((p) => p * l.units);
    drawDegrees(plots.degrees, `In-degrees of ${count(l.units)} units: unit ${u} keeps ${mine} inputs, the mean is ` +
      `${mean.toFixed(1)}, the most ${count(Math.max(...degrees))}`, { degrees, expected, mine });
    panels.accuracy.node.classList.toggle("mx-none", !measured);
    if (measured) X = drawAccuracy(plots.accuracy, `Accuracy against the fraction of weights kept; level ${n} is marked`, runs, r, n);
  };
  plots.accuracy.addEventListener("pointerdown", (event) => {
    const { run: r } = now(), at = event.clientX - plots.accuracy.getBoundingClientRect().left;
    const gaps = r.density.map((d) => Math.abs(X(d) - at));
    play(false);
    set({ level: gaps.indexOf(Math.min(...gaps)) });
  });

  const stop = keepDrawn(model, ["run", "layer", "level", "unit", "show", "order", "shuffle"], draw, root);
  play(false);
  el.append(root);
  return () => {
    play(false);
    stop();
  };
}

export default { render };
