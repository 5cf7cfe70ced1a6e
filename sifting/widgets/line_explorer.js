// The line explorer: a point on the way from one network to another; the barrier is shown after a guess.

let views = 0; // for ids that differ between the explorers of a page

async function render({ model, el }) {
  const id = `lx${++views}`, set = setter(model);
  const data = await parsed(model.get("data")), { ways, statistics, measures, lines, heights } = data;
  const last = lines[0][0][0][0].length - 1, share = (n) => (n / last).toFixed(2);
  const now = () => {
    const [way, kind, measure] = [[ways, "way"], [statistics, "statistics"], [measures, "measure"]]
      .map(([all, key]) => clamp(model.get(key), 0, all.length - 1));
    const [mean, low, high] = lines[measure][kind][way], key = `${way}/${kind}`, [name, unit] = measures[measure];
    return { way, kind, measure, mean, low, high, key, name, unit, place: clamp(model.get("place"), 0, last),
      guess: model.get("guesses")[key], height: heights[measure][kind][way], loss: measure === 1 };
  };
  const tell = (v, unit) => `${minus(v.toFixed(unit === "nats" ? 2 : 1))} ${unit}`;

  const position = slider("Place", (place) => set({ place }));
  const way = dropdown("To the network", ways.map((name, n) => [n, name]), (value) => set({ way: +value }));
  const kind = segments(`${id}-statistics`, "Batch-norm statistics", (value) => set({ statistics: +value }));
  const measure = segments(`${id}-measure`, "Show", (value) => set({ measure: +value }));
  const answer = (guess) => set({ guesses: { ...model.get("guesses"), [now().key]: guess } });
  const here = textButton("The barrier is here", () => answer(now().place)), none = textButton("There is none", () => answer(-1));
  const skip = textButton("Just show me", () => answer(-2)), again = textButton("Guess again", () => {
    const { [now().key]: _, ...others } = model.get("guesses");
    set({ guesses: others });
  });
  const field = h("div", { className: "mx-chart" }), plane = h("div", { className: "mx-draw mx-walk" }, field);
  const status = h("p", { className: "mx-status", "aria-live": "polite" });
  const print = h("div", { className: "mx-print" });
  const root = h("section", { className: "mx mx-line-explorer", "aria-label": `Predict, then see: ${data.ask}` },
    h("p", { className: "mx-ask" }, h("strong", { textContent: "Predict, then see. " }), data.ask),
    h("div", { className: "mx-choices" }, way.node, kind.node, measure.node), h("div", { className: "mx-time" }, position.node),
    plane, h("div", { className: "mx-buttons" }, here, none, skip, again), status, print);

  const walk = (event) => {
    const box = field.getBoundingClientRect(), left = 42, right = field.clientWidth - 8;
    set({ place: clamp(Math.round((last * ((event.clientX - box.left - left) / (right - left) - 0.04)) / 0.92), 0, last) });
  };
  plane.addEventListener("pointerdown", (event) => { if (!event.button) { plane.setPointerCapture(event.pointerId); status.setAttribute("aria-live", "off"); walk(event); } });
  plane.addEventListener("pointermove", (event) => plane.hasPointerCapture(event.pointerId) && walk(event));
  plane.addEventListener("lostpointercapture", () => status.setAttribute("aria-live", "polite"));

  const mixture = (mean, n) => mean[0] + (n / last) * (mean[last] - mean[0]);
  const picture = (node, at, shown, size) => {
    const { mean, low, high, name, unit, place, guess, loss } = at;
    const top = loss ? Math.max(...lines[1].flat(2).flat().filter((v) => v !== null)) : 100, inside = (v) => clamp(v, 0, top);
    const scale = {
      x: (n) => 0.04 + (0.92 * n) / last, y: (v) => v / top, size,
      xs: [0, 0.25, 0.5, 0.75, 1].map((v) => [v * last, v === 0 ? "W*" : v === 1 ? "Wr" : v]), ys: ticks(0, top, 5).map((v) => [v, unit === "%" ? `${v} %` : v]),
      xTitle: "share of the way", yTitle: unit === "%" ? name : `${name}, ${unit}`,
    };
    chart(node, `${name} on the way from W* to Wr${shown ? "" : ", of which only the ends are shown"}`, scale, (X, Y, above, below) => {
      const line = (values) => "M" + values.map((v, n) => `${X(n)},${Y(inside(v))}`).join("L");
      const band = low[0] === null ? "" : `<path class="mx-band" d="${line(high)}L${line(low).slice(1).split("L").reverse().join("L")}Z"/>`;
      const height = shown ? mean[place] : mixture(mean, place);
      const said = guess >= 0 ? `<path class="mx-guess" d="M${X(guess)},${above}V${below}"/>` : "";
      const gap = shown ? `<path class="mx-gap" d="M${X(place)},${Y(mixture(mean, place))}V${Y(inside(height))}"/>` : "";
      return `<path class="mx-random" d="M${X(0)},${Y(mean[0])}L${X(last)},${Y(mean[last])}"/>` +
        (size ? "" : `<path class="mx-cursor" d="M${X(place)},${above}V${below}"/>`) + said + gap +
        (shown ? `${band}<path class="mx-curve mx-answer" d="${line(mean)}"/>` : "") +
        [0, last].map((n) => `<circle class="mx-anchor" cx="${X(n)}" cy="${Y(mean[n])}" r="5"/>`).join("") +
        (size ? "" : `<circle class="mx-dot mx-mine" cx="${X(place)}" cy="${Y(inside(height))}" r="7"/>`);
    });
  };

  // What is said of a line: the point, and where the mean is farthest below the mixture of both ends (loss: above it).
  const barrier = ({ mean, loss }) => {
    const gaps = mean.map((v, n) => (loss ? v - mixture(mean, n) : mixture(mean, n) - v));
    return { gaps, most: gaps.indexOf(Math.max(...gaps)) };
  };
  const tellAll = answers(el);
  const draw = () => {
    if (!root.clientWidth) return; // folded away
    const at = now(), { mean, place, guess, unit, name, height, loss } = at, shown = guess !== undefined;
    position.set(place, last, `${share(place)} of the way`);
    way.set(at.way);
    kind.set(at.kind, statistics.map((each, n) => [n, each]));
    measure.set(at.measure, measures.map(([each], n) => [n, each.replace("training ", "")]));
    [here, none, skip].forEach((node) => { node.hidden = shown; });
    again.hidden = !shown;
    picture(field, at, shown);
    tellAll(shown);
    if (!shown) {
      return say(status, `${share(place)} of the way. The ends have ${name} ${tell(mean[0], unit)} and ${tell(mean[last], unit)}; dashed: a mixture of both. ` +
        "Where is the network farthest from the mixture? Move the point there.");
    }
    const { gaps, most } = barrier(at), gap = gaps[place], words = unit === "%" ? "points" : unit, side = (v) => ((v < 0) === loss ? "below" : "above");
    const size = Math.abs(gap).toFixed(unit === "nats" ? 2 : 1);
    const yours = guess === -1 ? " You expected none." : guess >= 0 ? ` You expected it at ${share(guess)}, ${Math.abs(guess - most) / last < 0.5 / last ? "where it is" : `${share(Math.abs(guess - most))} of the way off`}.` : "";
    say(status, `At ${share(place)} of the way the ${name} is ${tell(mean[place], unit)}, ${size} ${words} ${side(gap)} the mixture. The barrier, a mean over ${data.runs.join(" to ")} runs, ` +
      `is ${tell(height, words)}; the mean curve is farthest from the mixture at ${share(most)}.${yours}`);
  };

  statistics.forEach((each, kind) => ways.forEach((name, way) => {
    const node = h("div", { className: "mx-chart" }), [mean, low, high] = lines[0][kind][way];
    print.append(h("p", { textContent: `${name}, ${each}` }), node);
    picture(node, { mean, low, high, name: measures[0][0], unit: measures[0][1], place: 0, guess: -2, loss: false }, true, [300, 150]);
  }));
  const stop = keepDrawn(model, ["way", "statistics", "measure", "place", "guesses"], draw, root);
  el.append(root);
  return stop;
}

export default { render };
