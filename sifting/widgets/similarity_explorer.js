// The similarity explorer: distances between all pairs of methods, and the masks of two of them in one picture.

let views = 0; // for ids that differ between the explorers of a page

// seen on light pages and on dark ones
const COLORS = { both: [13, 118, 110], one: [59, 110, 246], other: [234, 88, 12], neither: GRAY };

async function render({ model, el }) {
  const id = `sx${++views}`;
  const data = await parsed(model.get("data"));
  const { methods, layers, distance, chance, accuracy, dead } = data, last = distance.length, many = methods.length;
  const set = setter(model);
  const now = () => ({
    level: clamp(model.get("level"), 1, last),
    layer: clamp(model.get("layer"), 0, layers.length - 1),
    one: clamp(model.get("one"), 0, many - 1),
    other: clamp(model.get("other"), 0, many - 1),
  });
  const kept = (layer, method, level) => data.removedAt[layer][method].map((at) => at > level);

  const slider_ = slider("Level", (at) => set({ level: at + 1 }));
  const options = methods.map((name, n) => [n, name]);
  const which = segments(`${id}-layer`, "Layer", (value) => set({ layer: +value }));
  const one = dropdown("Blue", options, (value) => set({ one: +value }));
  const other = dropdown("Orange", options, (value) => set({ other: +value }));
  const matrix = h("canvas", { role: "img" }), mark = h("i", { className: "mx-chosen" }), names = h("ol", { className: "mx-names" });
  names.append(...methods.map((name) => h("li", { textContent: name })));
  const left = panel("matrix", "Distance, as a share of what chance makes it; rows blue, columns orange", h("div", { className: "mx-square" }, h("div", { className: "mx-cells" }, matrix, mark), names),
    h("div", { className: "mx-scale" }, "0", h("i", { className: "mx-viridis" }), "chance or more"),
    h("div", { className: "mx-legend" }, part(COLORS.neither, "one is dead")));
  const both = h("canvas", { role: "img" }), why = h("p", { className: "mx-why" });
  const middle = panel("overlap", "Both masks", both, why, legend());
  const follow = h("div", { className: "mx-chart" });
  const right = panel("follow", "Distance by level, and by chance (dashed)", follow);
  const status = h("p", { className: "mx-status", "aria-live": "polite" });
  const root = h("section", { className: "mx mx-similarity", "aria-label": "Similarity explorer" },
    h("div", { className: "mx-time" }, slider_.node),
    h("div", { className: "mx-choices" }, which.node, one.node, other.node), status,
    h("div", { className: "mx-body" }, left.node, middle.node, right.node));
  const pair = (event) => {
    const [other, one] = cellUnder(event, matrix);
    return { other, one };
  };
  matrix.addEventListener("click", (event) => set(pair(event)));
  matrix.addEventListener("pointermove", (event) => {
    const { level, layer } = now(), { one, other } = pair(event);
    matrix.title = `${methods[one]} and ${methods[other]}: ${distance[level - 1][layer][one][other].toFixed(2)}, by chance ${chance[level - 1][layer][one][other].toFixed(2)}`;
  });

  const drawMatrix = ({ level, layer, one, other }) => {
    const rgba = new Uint8ClampedArray(4 * many * many).fill(255);
    for (let a = 0; a < many; a++)
      for (let b = 0; b < many; b++) {
        const by = chance[level - 1][layer][a][b], share = by ? distance[level - 1][layer][a][b] / by : 0;
        rgba.set([...(dead[level][a] || dead[level][b] ? COLORS.neither : viridis(share)), 255], 4 * (a * many + b));
      }
    paint(matrix, many, many, rgba);
    matrix.setAttribute("aria-label", `Distances between the masks of all methods at level ${level}, ${layers[layer]}`);
    mark.style.inset = `${(100 * one) / many}% ${100 - (100 * (other + 1)) / many}% ${100 - (100 * (one + 1)) / many}% ${(100 * other) / many}%`;
    [...names.children].forEach((node, n) => { node.className = n === one ? "mx-blue" : n === other ? "mx-orange" : ""; });
  };
  // Kernels in a sheet, the longer of inputs and outputs across.
  const drawBoth = ({ level, layer, one, other }) => {
    const [outputs, inputs, height, width] = data.shapes[layer], across = outputs > inputs;
    both.hidden = !data.removedAt[layer];
    middle.node.classList.toggle("mx-none", both.hidden); // says why
    why.textContent = both.hidden ? `${layers[layer]} has too many weights to show.` : "";
    if (both.hidden) return;
    const A = kept(layer, one, level), B = kept(layer, other, level), gap = height * width > 1 ? 1 : 0;
    const columns = Math.max(outputs, inputs), rows = Math.min(outputs, inputs);
    const w = columns * (width + gap), tall = rows * (height + gap), rgba = new Uint8ClampedArray(4 * w * tall);
    for (let n = 0; n < A.length; n++) {
      const x = n % width, y = Math.floor(n / width) % height, map = Math.floor(n / (width * height));
      const input = map % inputs, output = Math.floor(map / inputs);
      const left = (across ? output : input) * (width + gap) + x, top = (across ? input : output) * (height + gap) + y;
      const color = A[n] ? (B[n] ? COLORS.both : COLORS.one) : B[n] ? COLORS.other : COLORS.neither;
      rgba.set([...color, 255], 4 * (top * w + left));
    }
    paint(both, w, tall, rgba);
    both.style.width = `${crisp(w, middle.node.clientWidth)}px`;
    both.setAttribute("aria-label", `Kept weights of ${layers[layer]}: both methods, one of them, or neither`);
  };
  const drawFollow = ({ level, layer, one, other }) => {
    const at = (table) => table.map((row) => row[layer][one][other]), mine = at(distance), random = at(chance);
    const scale = {
      x: (v) => 0.03 + (0.94 * (v - 1)) / Math.max(1, last - 1),
      y: (v) => v / 1.05,
      xs: ticks(1, last, 5).filter((v) => v >= 1).map((v) => [v, v]),
      ys: [0, 0.25, 0.5, 0.75, 1].map((v) => [v, v]),
      xTitle: "level",
    };
    chart(follow, "Jaccard distance by level", scale, (X, Y, top, bottom) => {
      const line = (values) => "M" + values.map((v, n) => `${X(n + 1)},${Y(v)}`).join("L");
      return `<path class="mx-cursor" d="M${X(level)},${top}V${bottom}"/><path class="mx-random" d="${line(random)}"/>
        <path class="mx-curve" d="${line(mine)}"/><circle class="mx-dot" cx="${X(level)}" cy="${Y(mine[level - 1])}" r="4"/>`;
    });
  };

  const draw = () => {
    if (!root.clientWidth) return; // folded away
    const at = now(), { level, layer, one: a, other: b } = at;
    slider_.set(level - 1, last - 1, `${level}`);
    which.set(layer, layers.map((name, n) => [n, name]));
    one.set(a);
    other.set(b);
    drawMatrix(at);
    drawBoth(at);
    drawFollow(at);
    const number = (v) => v.toFixed(2), said = (n) => `${methods[n]}: test accuracy at the last step ${percent(accuracy[level][n])}${dead[level][n] ? ", dead" : ""}`;
    const text = a === b ? `Level ${level}, ${layers[layer]}. ${said(a)}.` :
      `Level ${level}, ${layers[layer]}: distance ${number(distance[level - 1][layer][a][b])}, by chance ${number(chance[level - 1][layer][a][b])}. ${said(a)}; ${said(b)}.`;
    say(status, text);
  };

  const stop = keepDrawn(model, ["level", "layer", "one", "other"], draw, root);
  el.append(root);
  return stop;
}

const legend = () =>
  h("div", { className: "mx-legend" }, part(COLORS.both, "both keep"), part(COLORS.one, "blue alone"), part(COLORS.other, "orange alone"), part(COLORS.neither, "neither"));

export default { render };
