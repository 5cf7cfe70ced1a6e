// The cavity explorer: scores of the weights that go at one level, and what single weights do to their units.

let views = 0; // for ids that differ between the explorers of a page

async function render({ model, el }) {
  const id = `cx${++views}`, shape = model.get("shape"), [, height, width] = shape;
  const data = await parsed(model.get("data"));
  const last = data.mean.length; // "removed" at one more than the last level: never
  const set = setter(model);
  const now = () => {
    const removed = clamp(model.get("removed"), 1, last), unit = clamp(model.get("unit"), 0, data.units.length - 1);
    const free = model.get("input"), stored = 2 * (removed - 1) + (model.get("end") === "lowest" ? 1 : 0);
    if (free < 0) return { removed, unit, place: stored, input: data.inputs[unit][stored], free };
    return { removed: data.removedAt[unit][free], unit, place: data.inputs[unit].indexOf(free), input: free, free };
  };
  const when = (removed) => (removed === last ? "never removed" : `removed at level ${removed}`);

  const slider_ = slider("Weights", (at) => set({ removed: at + 1, input: -1 }));
  const end = segments(`${id}-end`, "The one with the", (value) => set({ end: value, input: -1 }));
  const color = segments(`${id}-color`, "Color", (value) => pick(now().input % (height * width), +value));
  const pick = (pixel, channel) => set({ input: channel * height * width + pixel });
  const follow = h("div", { className: "mx-chart" }), cut = h("div", { className: "mx-chart" });
  const left = panel("follow", "Their mean score × number of weights", follow);
  const big = h("canvas", { role: "img" }), marker = h("i", { className: "mx-marker" });
  const frame = focusable(h("div", { className: "mx-frame mx-any", role: "application", tabIndex: 0, "aria-label": "Weights of the unit; arrows choose one" }, big, marker));
  const units = thumbnails(`${id}-units`, "Units", data.units.length, {
    onClick: (place) => set({ unit: place, input: -1 }),
    moves: () => ({ ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1, Home: -last, End: last }),
    onStep: (step) => set({ unit: clamp(model.get("unit") + step, 0, data.units.length - 1), input: -1 }),
  });
  const middle = panel("target", "A unit, and one of them", units.list, frame);
  const right = panel("cut", "The preactivation: with it, and without (dashed)", cut);
  const status = h("p", { className: "mx-status", "aria-live": "polite" });
  const root = h("section", { className: "mx mx-cavity", "aria-label": "Cavity explorer" },
    h("div", { className: "mx-time" }, slider_.node),
    h("div", { className: "mx-choices" }, end.node, ...(shape[0] === 3 ? [color.node] : [])), status,
    h("div", { className: "mx-body" }, left.node, middle.node, right.node));

  // Any weight, by a click or with arrows; of a pixel, that of the color chosen.
  const channel = () => Math.floor(Math.max(0, now().input) / (height * width));
  big.addEventListener("click", (event) => {
    const [x, y] = cellUnder(event, big);
    pick(y * width + x, channel());
  });
  frame.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const at = Math.max(0, now().input) % (height * width);
    pick(clamp(Math.floor(at / width) + step[1], 0, height - 1) * width + clamp((at % width) + step[0], 0, width - 1), channel());
  });

  const drawFollow = (removed) => {
    const rows = (table) => table.slice(0, Math.min(removed, last - 1)).map((row) => row[removed - 1]);
    const [mean, least, most] = [data.mean, data.least, data.most].map(rows);
    const all = [...data.mean.flat().filter((v) => v !== null), ...least, ...most];
    const low = Math.min(0, ...all), high = Math.max(0, ...all), span = high - low || 1;
    const scale = {
      x: (v) => 0.04 + (0.92 * v) / Math.max(1, last - 2),
      y: (v) => (v - low + 0.05 * span) / (1.1 * span),
      xs: Array.from({ length: last - 1 }, (_, n) => [n, n]),
      ys: ticks(low, high, 5).map((v) => [v, minus(v)]),
      xTitle: "prunings so far",
    };
    chart(follow, `Mean score times number of weights, of weights ${when(removed)}`, scale, (X, Y) => {
      const line = (values) => "M" + values.map((v, n) => `${X(n)},${Y(v)}`).join("L");
      const others = data.mean[0].map((_, f) => data.mean.slice(0, Math.min(f + 1, last - 1)).map((row) => row[f]));
      const band = `M${most.map((v, n) => `${X(n)},${Y(v)}`).join("L")}L${least.map((v, n) => `${X(n)},${Y(v)}`).reverse().join("L")}Z`;
      return others.map((values) => `<path class="mx-curve mx-faint" d="${line(values)}"/>`).join("") +
        `<path class="mx-grid mx-zero" d="M${X(0)},${Y(0)}H${X(last - 2)}"/><path class="mx-band" d="${band}"/>
        <path class="mx-curve" d="${line(mean)}"/>` + mean.map((v, n) => `<circle class="mx-dot" cx="${X(n)}" cy="${Y(v)}" r="3"/>`).join("");
    });
  };
  const drawCut = (unit, place) => {
    const before = data.before[unit], after = data.counts[unit][place] ?? [], bins = data.edges, floor = 0.7;
    const most = Math.max(...before, ...after);
    const scale = {
      x: (v) => (v - bins[0]) / (bins.at(-1) - bins[0]),
      y: (v) => Math.log(Math.max(v, floor) / floor) / Math.log((1.3 * most) / floor),
      xs: [-6, -3, 0, 3, 6].map((v) => [v, minus(v)]),
      ys: [1, 10, 100, 1000, 10000].filter((v) => v <= most).map((v) => [v, count(v)]),
      xTitle: "standard deviations; images on a log scale",
    };
    chart(cut, "Histogram of the preactivation with the weight, and a line for it without", scale, (X, Y, top, bottom) => {
      const bars = before.map((n, b) => (n ? `<path class="mx-bar mx-mine" d="M${X(bins[b])},${bottom}V${Y(n)}H${X(bins[b + 1])}V${bottom}Z"/>` : "")).join("");
      const stair = after.map((n, b) => (n > floor ? `V${Y(n)}H${X(bins[b + 1])}` : `V${bottom}M${X(bins[b + 1])},${bottom}`)).join("");
      return after.length ? `${bars}<path class="mx-random" d="M${X(bins[0])},${bottom}${stair}V${bottom}"/>` : bars;
    });
  };
  const paintUnit = (canvas, unit) => {
    const size = height * width, rgba = new Uint8ClampedArray(4 * size).fill(255);
    for (let i = 0; i < size; i++)
      for (let c = 0; c < 3; c++) rgba[4 * i + c] = data.removedAt[unit][(shape[0] === 3 ? c : 0) * size + i] === last ? 235 : 30;
    paint(canvas, width, height, rgba);
  };

  let wide = 0;
  const draw = () => {
    if (!root.clientWidth) return; // folded away
    if (wide !== root.clientWidth) {
      wide = root.clientWidth;
      units.arrange(data.units.length, crisp(width, units.list.clientWidth / data.units.length - 4));
      big.style.width = `${crisp(width, Math.min(220, frame.clientWidth - 2))}px`;
    }
    const { removed, unit, place, input } = now(), none = input < 0;
    slider_.set(removed - 1, last - 1, when(removed));
    end.set(now().free < 0 ? model.get("end") : "", [["highest", "highest score"], ["lowest", "lowest score"]]);
    color.set(channel(), ["red", "green", "blue"].map((name, n) => [n, name, none ? "there is no weight" : ""]));
    drawFollow(removed);
    units.nodes.forEach((node, n) => {
      paintUnit(node.firstChild, n);
      units.describe(n, `Unit ${data.units[n]}`, n === unit);
    });
    paintUnit(big, unit);
    const side = big.clientWidth / width, at = input % (height * width);
    marker.hidden = none;
    marker.style.cssText = `width:${side}px;height:${side}px;left:${1 + side * (at % width)}px;top:${1 + side * Math.floor(at / width)}px`;
    middle.note.textContent = `unit ${data.units[unit]}`;
    big.setAttribute("aria-label", `Mask of unit ${data.units[unit]} in the end; the weight in a ring`);
    cut.style.visibility = none ? "hidden" : "visible";
    if (!none) drawCut(unit, place);
    right.note.textContent = place < 0 ? "without: stored for the highest and lowest scores" : "";
    const score = none ? null : place < 0 ? data.every[unit][input] : data.scores[unit][place], K = data.kurtosis[unit];
    const without = place < 0 ? K * (1 + (K > 3 ? score : -score)) : data.without[unit][place];
    const shade = shape[0] === 3 ? ["red ", "green ", "blue "][Math.floor(input / (height * width))] : "";
    const which = () => `Before any pruning. Unit ${data.units[unit]}: without its weight for the ${shade}pixel at ${at % width}, ${Math.floor(at / width)}, ${when(removed)}, `;
    const text = none ? `Unit ${data.units[unit]} has no weight that is ${when(removed)}.` :
      score === null ? `${which()}it has no score.` :
      `${which()}its kurtosis goes from ${K.toFixed(3)} to ${without.toFixed(3)}: score ${(score < 0 ? "−" : "+") + Math.abs(score).toFixed(4)}.`;
    say(status, text);
  };

  const stop = keepDrawn(model, ["removed", "unit", "end", "input"], draw, root);
  el.append(root);
  return stop;
}

export default { render };
