// The tree explorer: one row of thumbnails a layer, from the deepest down to layer 1, and the path chosen through them.

let views = 0; // for ids that differ between the explorers of a page

async function render({ model, el }) {
  const id = `tx${++views}`, shape = model.get("shape"), gallery = model.get("gallery");
  const inputs = shape.reduce((a, b) => a * b), runs = await Promise.all(model.get("runs").map(unpack));
  const depth = Math.min(...runs.map((run) => run.layers.length));
  const set = setter(model);

  // What is shown now, from the model alone: rows from the deepest layer down, each with the unit that the path takes.
  const now = () => {
    const run = runs[model.get("run")] ?? runs[0], path = descend(run.layers.slice(0, depth), run.top, model.get("path"));
    const rows = Array.from({ length: depth }, (_, n) => {
      const number = depth - n, layer = run.layers[number - 1], above = path[n - 1];
      const fed = n === 0 ? run.top.map((unit) => [unit]) : above === undefined ? [] : feedersOf(run.layers[number], above);
      return { number, layer, fed, unit: path[n] };
    });
    return { run, path, rows };
  };
  const choose = (n, place) => { // the place-th unit of row n; below it the strongest
    const { path, rows } = now(), [unit] = rows[n].fed[clamp(place, 0, rows[n].fed.length - 1)] ?? [];
    if (unit !== undefined) set({ path: [...path.slice(0, n), unit] });
  };

  const run = dropdown("Run", runs.map(({ name }, n) => [n, name]), (value) => set({ run: +value, path: [] }));
  const show = segments(`${id}-show`, "Layer 1", (value) => set({ show: value }));
  let columns = 5;
  const rows = Array.from({ length: depth }, (_, n) => {
    const number = depth - n;
    const units = thumbnails(`${id}-${number}`, `Units of layer ${number}`, n ? runs[0].layers[number].fan : gallery, {
      onClick: (place) => choose(n, place),
      moves: () => ({ ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns, Home: -gallery, End: gallery }),
      onStep: (step) => {
        const { fed, unit } = now().rows[n];
        choose(n, fed.findIndex(([other]) => other === unit) + step);
      },
    });
    const none = h("p", { className: "mx-empty", textContent: "Nothing feeds the unit above." });
    const title = n ? `Layer ${number}: what feeds it` : `Layer ${number}`;
    return { number, units, none, big: h("canvas", { role: "img" }), label: h("strong"), ...panel(`row${n}`, title, units.list, none) };
  });
  const status = h("p", { className: "mx-status", "aria-live": "polite" });
  const steps = rows.map(({ big, label }) => h("div", { className: "mx-step" }, label, h("div", { className: "mx-frame" }, big)));
  const choices = runs.length > 1 ? [run.node, show.node] : [show.node];
  const root = h("section", { className: "mx mx-tree", "aria-label": "Tree explorer" },
    h("div", { className: "mx-choices" }, ...choices),
    h("div", { className: "mx-path" }, ...steps), status,
    h("div", { className: "mx-body" }, ...rows.map((row) => row.node)));

  let width = 0;
  const layout = () => {
    const [, , wide] = shape;
    columns = width < 480 ? 5 : 10;
    const size = crisp(wide, rows[0].units.list.clientWidth / columns - 4);
    for (const { units, big } of rows) {
      units.arrange(columns, size);
      big.style.width = `${crisp(wide, big.parentNode.clientWidth - 2)}px`;
    }
  };

  const draw = () => {
    if (!root.clientWidth) return; // folded away
    if (width !== root.clientWidth) { width = root.clientWidth; layout(); }
    const { run: r, rows: found } = now(), words = [];
    run.set(model.get("run"));
    show.set(model.get("show"), [["mask", "mask"], ["weights", "weights"]]);
    rows.forEach(({ number, units, none, big, label, note }, n) => {
      const { layer, fed, unit } = found[n];
      const slotOf = (u) => layer.shown.indexOf(u), kept = (u) => maskAt(layer, slotOf(u), 0);
      const paintUnit = (canvas, u) => (number === 1 && model.get("show") === "weights"
        ? paintWeights(canvas, weightsAt(r, slotOf(u), 0), shape) : paintMask(canvas, kept(u), shape));
      units.list.setAttribute("aria-activedescendant", "");
      units.nodes.forEach((node, place) => {
        node.hidden = place >= fed.length;
        if (node.hidden) return;
        const [u, weight] = fed[place], strength = weight === undefined ? "" : `, weight ${signed(weight)}`;
        paintUnit(node.firstChild, u);
        units.describe(place, `Unit ${u}${strength}`, u === unit);
      });
      none.hidden = fed.length > 0;
      const there = unit !== undefined, above = found[n - 1];
      note.textContent = n === 0 ? `${fed.length} of ${count(layer.units)} units` : above.unit === undefined ? "" :
        `${fed.length} of ${count(above.layer.degrees[above.unit])}, strongest first`;
      label.textContent = there ? `Layer ${number}, unit ${unit}` : `Layer ${number}`;
      big.style.visibility = there ? "visible" : "hidden";
      if (!there) return;
      paintUnit(big, unit);
      const seen = kept(unit).reduce((a, b) => a + b, 0), [, weight] = fed.find(([u]) => u === unit);
      big.setAttribute("aria-label", `Unit ${unit} of layer ${number}: ${count(seen)} of ${count(inputs)} pixel values reach it`);
      words.push(n ? `Unit ${unit} of layer ${number} feeds it with weight ${signed(weight)}; ${count(seen)} reach this one.`
        : `${count(seen)} of ${count(inputs)} pixel values reach unit ${unit} of layer ${number}.`);
    });
    const text = words.join(" ");
    say(status, text);
  };
  const signed = (weight) => (weight < 0 ? "−" : "+") + Math.abs(weight).toFixed(2);

  const stop = keepDrawn(model, ["run", "path", "show"], draw, root);
  el.append(root);
  return stop;
}

export default { render };
