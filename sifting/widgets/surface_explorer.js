// The surface explorer: accuracy on planes through the pretrained, the pruned and the retrained network.

let views = 0; // for ids that differ between the explorers of a page

const NETWORKS = [["W*", "pretrained"], ["Wp", "pruned"], ["Wr", "retrained"]];
const STEPS = 10000, MISSING = 65535; // of a stored accuracy

async function render({ model, el }) {
  const id = `px${++views}`, set = setter(model);
  const data = await parsed(model.get("data")), { ways, statistics, rows, columns } = data;
  const names = data.networks ?? NETWORKS;
  const accuracy = new Uint16Array(await inflate(model.get("accuracy"))), cycles = data.share[0].length;

  // What is shown now, from the model alone; but what the mouse is over is a matter of this view.
  let over = null;
  const now = () => {
    const way = clamp(model.get("way"), 0, ways.length - 1), cycle = clamp(model.get("cycle"), 1, cycles);
    const kind = clamp(model.get("statistics"), 0, statistics.length - 1), of = (table) => table[way][cycle - 1];
    const start = ((way * cycles + cycle - 1) * statistics.length + kind) * rows * columns, points = of(data.points);
    const found = { way, cycle, kind, own: of(data.own)[kind], share: of(data.share), points, plane: accuracy.subarray(start, start + rows * columns) };
    if ([of(data.x), of(data.y), points].flat(2).includes(null)) return { ...found, ended: true };
    const x = cells(of(data.x), columns), y = cells(of(data.y), rows), [retrained] = points.slice(-1);
    const [row, column] = over ?? (model.get("cell").length ? model.get("cell") : [y.nearest(retrained[1]), x.nearest(retrained[0])]);
    return { ...found, x, y, row: clamp(row, 0, rows - 1), column: clamp(column, 0, columns - 1) };
  };

  const go = (by) => set({ cycle: clamp(now().cycle + by, 1, cycles) });
  const back = iconButton(() => go(-1)), forth = iconButton(() => go(1));
  const slider_ = slider("Cycle", (at) => set({ cycle: at + 1 }));
  const way = dropdown("Pruned", ways.map((name, n) => [n, name]), (value) => set({ way: +value }));
  const kind = segments(`${id}-statistics`, "Batch-norm statistics", (value) => set({ statistics: +value }));
  const canvas = h("canvas", { "aria-hidden": "true" }), marks = h("div", { className: "mx-chart" }); // which has the name
  const plane = focusable(h("div", { className: "mx-plane", role: "application", tabIndex: 0, "aria-label": "Cells of the plane; arrows choose one" }, canvas, marks));
  const unknown = part(GRAY, "not known");
  const scale = h("div", { className: "mx-scale" }, "0 %", h("i", { className: "mx-viridis" }), "100 %", h("div", { className: "mx-legend" }, unknown));
  const left = panel("planes", "Accuracy on the plane", plane, scale);
  const status = h("p", { className: "mx-status", "aria-live": "polite" }), facts = h("div", { className: "mx-facts" });
  const root = h("section", { className: "mx mx-surface", "aria-label": "Surface explorer" },
    h("div", { className: "mx-time" }, back.node, slider_.node, forth.node),
    h("div", { className: "mx-choices" }, way.node, kind.node),
    h("div", { className: "mx-body" }, left.node, h("div", { className: "mx-panel mx-read" }, status, facts)));
  back.set("Previous cycle", "M11 2.5v11l-7-5.5Z");
  forth.set("Next cycle", "M5 2.5v11l7-5.5Z");

  const hover = (cell) => {
    over = cell;
    draw();
  };
  const pointed = (event) => {
    const [column, fromAbove] = cellUnder(event, canvas);
    return [rows - 1 - fromAbove, column];
  };
  canvas.addEventListener("pointermove", (event) => hover(pointed(event)));
  canvas.addEventListener("pointerleave", () => hover(null));
  canvas.addEventListener("click", (event) => set({ cell: pointed(event) }));
  plane.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0], Home: [0, -columns], End: [0, columns], PageUp: [rows, 0], PageDown: [-rows, 0] };
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    over = null;
    const { row, column } = now();
    set({ cell: [clamp(row + move[0], 0, rows - 1), clamp(column + move[1], 0, columns - 1)] });
  });

  const drawPlane = ({ x, y, row, column, plane, points, cycle }) => {
    const rgba = new Uint8ClampedArray(4 * plane.length).fill(255);
    plane.forEach((v, n) => rgba.set(v === MISSING ? GRAY : viridis(v / STEPS), 4 * ((rows - 1 - Math.floor(n / columns)) * columns + (n % columns))));
    paint(canvas, columns, rows, rgba);
    const axis = ({ low, high }) => [(v) => (v - low) / (high - low), ticks(low, high, Math.max(3, marks.clientWidth / 90)).map((v) => [v, minus(v)])];
    const [toX, xs] = axis(x), [toY, ys] = axis(y);
    const titles = { xTitle: "x, in units of weights", yTitle: "y, in units of weights" };
    chart(marks, `Accuracy on the plane through ${names.map(([name]) => name).join(", ")}, cycle ${cycle}`, { x: toX, y: toY, xs, ys, ...titles }, (X, Y, top, bottom) => {
      const [from, to] = [X(x.low), X(x.high)], wide = to - from, tall = bottom - top;
      canvas.style.cssText = `left:${from}px;top:${top}px;width:${wide}px;height:${tall}px`;
      left.note.textContent = `y is drawn ${+((tall * (x.high - x.low)) / (wide * (y.high - y.low))).toPrecision(2)} times as large as x`;
      const at = points.map(([x, y]) => [X(x), Y(y)]), path = `M${at.join("L")}Z`;
      const cell = `x="${from + (column * wide) / columns}" y="${bottom - ((row + 1) * tall) / rows}" width="${wide / columns}" height="${tall / rows}"`;
      const dot = ([x, y], n) => `<circle class="mx-network" cx="${x}" cy="${y}" r="${[6, 8, 5][n]}"/>`; // Wr in Wp, where they coincide
      const name = ([x, y, end], n) => `<text class="mx-label" x="${x}" y="${y}" text-anchor="${end}">${names[n][0]}</text>`;
      return `<path class="mx-outline" d="${path}"/><path class="mx-line" d="${path}"/>
        <rect class="mx-outline" ${cell}/><rect class="mx-line" ${cell}/>
        ${at.map(dot).join("")}${places(at, from, to, top, bottom).map(name).join("")}`;
    });
  };

  const draw = () => {
    if (!root.clientWidth) return; // folded away
    const at = now(), { ended, x, y, row, column, points, own } = at, value = at.plane[row * columns + column];
    slider_.set(at.cycle - 1, cycles - 1, `${at.cycle} of ${cycles}`);
    back.node.setAttribute("aria-disabled", at.cycle === 1);
    forth.node.setAttribute("aria-disabled", at.cycle === cycles);
    way.set(at.way);
    kind.set(at.kind, statistics.map((name, n) => [n, name]));
    left.node.hidden = !!ended; // the text says why
    unknown.hidden = !at.plane.includes(MISSING);
    if (!ended) drawPlane(at);
    const said = (share) => (share === null ? "–" : percent(share));
    tell(facts, [...names.map(([name, what], n) => [`${name}, ${what}`, said(own[n])]), ...(data.networks ? [] : [["weights that matter", said(at.share)]])]);
    if (ended) return say(status, `The run ended before cycle ${at.cycle}.`);
    // The cell that a network lies in is its own, and of the last one, where there are several.
    const network = points.findLastIndex(([px, py]) => x.nearest(px) === column && y.nearest(py) === row);
    const [px, py] = points[network] ?? [x.middle(column), y.middle(row)], distance = Math.hypot(px - points[0][0], py - points[0][1]);
    say(status, `Cycle ${at.cycle}: at ${network < 0 ? "" : `${names[network][0]}, `}x = ${x.words(px)}, y = ${y.words(py)} the accuracy is ` +
      `${value === MISSING ? "not known" : percent(value / STEPS)}; ${names[0][0]} is ${x.words(distance)} away.`);
  };

  const stop = keepDrawn(model, ["way", "cycle", "statistics", "cell"], draw, root);
  el.append(root);
  return stop;
}

// Where the names of the three points go, so that none covers another: of Wp and Wr the upper has its name above it and
// the lower below, also where they coincide; that of W* is beside it, away from them if there is room.
const places = ([pretrained, pruned, retrained], from, to, top, bottom) => {
  const beside = (by) => [pretrained[0] + 12 * by, pretrained[1] + 5, by < 0 ? "end" : "start"];
  const away = pretrained[0] > (pruned[0] + retrained[0]) / 2 ? 1 : -1, end = pretrained[0] + 38 * away;
  const lower = pruned[1] < retrained[1] ? retrained : pruned;
  const stacked = (point) => [clamp(point[0], from + 14, to - 14), clamp(point[1] + (point === lower ? 24 : -14), top + 14, bottom - 6), "middle"];
  return [beside(end < from || end > to ? -away : away), stacked(pruned), stacked(retrained)];
};

export default { render };
