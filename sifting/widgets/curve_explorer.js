// The curve explorer: draw what you expect, then see what is stored. Nothing of it is on the page before, but for print.

const STEPS = 40; // of an arrow key from one end of the axis to the other

async function render({ model, el }) {
  const data = await parsed(model.get("data")), { xs, mean, low, high, anchor, given, x, y } = data;
  if (!xs.length) {
    el.append(h("section", { className: "mx", "aria-label": `Predict, then see: ${data.ask}` }, h("p", { className: "mx-ask", textContent: data.ask }),
      h("p", { className: "mx-status", textContent: `There is nothing to draw here: of ${y.label}, fewer than two points have a value in every run.` })));
    return undefined;
  }
  const set = setter(model), last = xs.length - 1, [bottom, top] = data.range;
  const unit = y.unit && ` ${y.unit}`, gap = y.unit === "%" ? (v) => `${v} points` : (v) => v + unit;
  const bend = y.log ? Math.log : (v) => v, unbend = y.log ? Math.exp : (v) => v;
  const share = (v) => (bend(v) - bend(bottom)) / (bend(top) - bend(bottom));
  const value = (s) => unbend(bend(bottom) + clamp(s, 0, 1) * (bend(top) - bend(bottom)));
  const digits = clamp(Math.ceil(2 - Math.log10(top - bottom)), 0, 6); // a hundredth of the axis, or finer
  const near = (v) => minus(+v.toPrecision(3)), short = (v) => (y.log ? near(v) : minus((+v.toFixed(digits) + 0).toFixed(digits)));

  // Where the points are along the axis; names stand in even steps, densities go from dense to sparse.
  const along = x.log ? Math.log : (v) => (typeof v === "number" ? v : xs.indexOf(v));
  const [from, to] = [along(xs[0]), along(xs[last])], place = (v) => 0.04 + (0.92 * (along(v) - from)) / (to - from || 1);
  const at = xs.map(place), named = (v) => (typeof v === "number" ? near(v) + (x.unit && ` ${x.unit}`) : v);
  const here = (n) => x.said.replace("{}", named(xs[n])), Here = (n) => here(n).replace(/^./, (first) => first.toUpperCase());

  const drawn = () => (model.get("guess").length ? model.get("guess") : mean.map((v, n) => (n === anchor ? v : null)));
  const begun = () => drawn().some((v, n) => v !== null && n !== anchor);
  let cursor = anchor === 0 ? 1 : 0;
  const put = (values) => set({ guess: drawn().map((v, n) => (n !== anchor && n in values ? values[n] : v)) });

  const field = h("div", { className: "mx-chart" });
  const bare = typeof xs[0] === "string" ? "values" : "curve";
  const plane = focusable(h("div", { className: "mx-draw", role: "application", tabIndex: 0,
    "aria-label": `${data.ask} Arrow keys draw: left and right go along, up and down set the value` }, field));
  const status = h("p", { className: "mx-status", "aria-live": "polite" }), legend = h("div", { className: "mx-legend" });
  const show = textButton("Show", () => (model.get("shown") ? set({ shown: false, guess: [] }) : begun() && set({ shown: true })));
  const skip = textButton("Just show me", () => set({ shown: true }));
  const table = h("details", { className: "mx-numbers" });
  const print = h("div", { className: "mx-print" }, h("div", { className: "mx-chart" }), h("p"));
  const root = h("section", { className: "mx mx-curve-explorer", "aria-label": `Predict, then see: ${data.ask}` },
    h("p", { className: "mx-ask" }, h("strong", { textContent: "Predict, then see. " }), data.ask),
    plane, h("div", { className: "mx-under" }, legend, h("div", { className: "mx-buttons" }, show, skip)), status, table, print);

  const names = h("ol", { className: "mx-names-list" }, ...(typeof xs[0] === "string" ? xs.map((v) => h("li", { textContent: v })) : []));
  plane.after(names); // where they have no room on the axis

  // Drawing: columns that the pointer skips between two events are filled in a straight line.
  let before = null;
  const pointed = (event) => {
    const box = field.getBoundingClientRect(), { left, right, top, bottom } = frame(field);
    const s = (event.clientX - box.left - left) / (right - left), up = (bottom - (event.clientY - box.top)) / (bottom - top);
    const gaps = at.map((v, n) => (n === anchor ? Infinity : Math.abs(v - s)));
    return [gaps.indexOf(Math.min(...gaps)), clamp(up, 0, 1)];
  };
  const stroke = (event) => {
    const [n, up] = pointed(event), [m, was] = before ?? [n, up], values = {};
    const step = Math.sign(n - m) || 1;
    for (let k = m; k !== n + step; k += step) values[k] = value(n === m ? up : was + ((k - m) / (n - m)) * (up - was));
    before = [n, up];
    cursor = n;
    put(values);
  };
  plane.addEventListener("pointerdown", (event) => {
    if (model.get("shown") || event.button) return;
    plane.setPointerCapture(event.pointerId);
    before = null;
    status.setAttribute("aria-live", "off"); // until the stroke ends
    stroke(event);
  });
  plane.addEventListener("pointermove", (event) => plane.hasPointerCapture(event.pointerId) && stroke(event));
  plane.addEventListener("lostpointercapture", () => { status.setAttribute("aria-live", "polite"); draw(); });
  plane.addEventListener("keydown", (event) => {
    const along = { ArrowLeft: -1, ArrowRight: 1, Home: -xs.length, End: xs.length }[event.key];
    const up = { ArrowUp: 1, ArrowDown: -1, PageUp: 5, PageDown: -5 }[event.key];
    if (!(along || up) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (along) {
      cursor = clamp(cursor + along, 0, last);
      if (cursor === anchor) cursor = clamp(cursor + (anchor === last ? -1 : 1) * (anchor === 0 || anchor === last ? 1 : Math.sign(along)), 0, last);
      return draw();
    }
    if (model.get("shown")) return;
    put({ [cursor]: value(share(filled(drawn(), at)[cursor] ?? value(0.5)) + up / STEPS) });
  });

  const frame = (node) => ({ left: 42, right: node.clientWidth - 8, top: 24, bottom: node.clientHeight - 34 });
  const axis = (wide) => {
    const fit = Math.max(2, wide / 70), numbered = typeof xs[0] === "number";
    const [least, most] = [Math.min(...xs), Math.max(...xs)], rounds = [1, 2, 3, 5].flatMap((m) => [-2, -1, 0, 1, 2, 3].map((e) => +(m * 10 ** e).toPrecision(1)));
    const logs = rounds.filter((v) => v >= least * 0.99 && v <= most * 1.01).sort((a, b) => a - b);
    const thin = (all) => all.filter((_, n) => n % Math.ceil(all.length / fit) === 0);
    const last = xs.at(-1), beyond = 3.5 * String(last).length - wide * (1 - place(last)); // of the axis, by its last name
    const roomy = wide > 7 * xs.join("").length + 16 * xs.length && beyond < 8;
    if (!numbered) names.hidden = roomy;
    const marks = !numbered ? xs : x.log ? thin(logs.length > 1 ? logs.reverse() : xs) : ticks(least, most, fit);
    const decades = [...Array(12).keys()].flatMap((n) => [1, 3].map((m) => +(m * 10 ** (n - 6)).toPrecision(1)));
    const ys = y.log ? decades.filter((v) => v >= bottom && v <= top) : ticks(bottom, top, 5);
    return {
      x: place, y: share,
      xs: marks.map((v, n) => [v, typeof v === "number" ? near(v) : roomy ? v : n + 1]),
      ys: ys.map((v) => [v, `${minus(v)}${y.unit === "%" ? " %" : ""}`]),
      xTitle: `${x.label}${x.unit && `, ${x.unit}`}`, yTitle: `${y.label}${y.unit && y.unit !== "%" ? `, ${y.unit}` : ""}`,
    };
  };
  const picture = (node, shown, size) => {
    const guess = drawn(), whole = filled(guess, at), inside = (v) => clamp(v, bottom, top);
    const label = `${y.label} against ${x.label}: ${shown ? "what is stored" : "what you expect"}`;
    chart(node, label, { ...axis(size?.[0] ?? node.clientWidth), size }, (X, Y, above, below) => {
      const line = (values) => "M" + values.map((v, n) => `${X(xs[n])},${Y(inside(v))}`).join("L");
      const sides = low.every((v) => v !== null) && `${line(high)}L${line(low).slice(1).split("L").reverse().join("L")}Z`;
      const beside = ([, on, values], n) => `<path class="mx-given" stroke-dasharray="${["none", "6 3", "2 3"][n % 3]}"
        d="M${on.map((v, k) => [v, values[k]]).filter(([v, value]) => value !== null && place(v) >= 0 && place(v) <= 1)
          .map(([v, value]) => `${X(v)},${Y(inside(value))}`).join("L")}"/>`;
      const words = typeof xs[0] === "string", no = words ? "" : null; // names are not joined by lines
      const mine = !size && begun() ? (no ?? `<path class="mx-guess" d="${line(whole)}"/>`) +
        whole.map((v, n) => (n === anchor || (!words && guess[n] === null) ? "" :
          `<circle class="mx-mark${guess[n] === null ? " mx-implied" : ""}" cx="${X(xs[n])}" cy="${Y(v)}" r="${words ? 4 : 3}"/>`)).join("") : "";
      const bars = low.map((v, n) => (v === null ? "" : `M${X(xs[n])},${Y(inside(v))}V${Y(inside(high[n]))}`)).join("");
      const answer = shown ? (words ? `<path class="mx-interval" d="${bars}"/>` : `${sides ? `<path class="mx-band" d="${sides}"/>` : ""}<path class="mx-curve mx-answer" d="${line(mean)}"/>`) +
        mean.map((v, n) => `<circle class="mx-dot" cx="${X(xs[n])}" cy="${Y(inside(v))}" r="${words ? 4 : 2.5}"/>`).join("") : "";
      const pinned = anchor === null ? "" : `<circle class="mx-anchor" cx="${X(xs[anchor])}" cy="${Y(mean[anchor])}" r="5"/>`;
      const cut = size ? "" : `<path class="mx-cursor" d="M${X(xs[cursor])},${above}V${below}"/>`;
      return given.map(beside).join("") + cut + answer + mine + pinned;
    });
  };

  const certain = low.some((v) => v !== null);
  // What is stored in a sentence: where it begins, its highest and lowest point, where it ends.
  const point = (n) => `${short(mean[n])}${unit} ${here(n)}`;
  const found = () => {
    if (typeof xs[0] === "string") {
      const best = mean.indexOf(Math.max(...mean)), least = mean.indexOf(Math.min(...mean));
      return `Stored are means of ${data.runs.join(" to ")} ${data.each}. Highest is ${xs[best]} with ${short(mean[best])}${unit}, lowest is ${xs[least]} with ${short(mean[least])}${unit}.`;
    }
    const best = mean.indexOf(Math.max(...mean)), least = mean.indexOf(Math.min(...mean));
    const middle = [[best, "is highest"], [least, "is lowest"]].filter(([n]) => n > 0 && n < last).sort(([a], [b]) => a - b);
    const parts = [`begins with ${point(0)}`, ...middle.map(([n, words]) => `${words} with ${point(n)}`), `ends with ${point(last)}`];
    return `The stored curve, ${data.runs.at(-1) > 1 ? `a mean of ${data.runs.join(" to ")} ${data.each}` : "of one run"}, ${parts.slice(0, -1).join(", ")}, and ${parts.at(-1)}.`;
  };
  const judged = () => {
    const guess = filled(drawn(), at), off = apart(guess, data), n = off.at;
    const far = y.log ? `a factor of ${near(Math.exp(off.mean))}` : gap(short(off.mean));
    const inside = certain ? ` You are within the 95 % interval at ${off.inside} of ${off.of} places.` : "";
    return `Yours was off by ${far} on average, and most ${here(n)}: you expected ${short(guess[n])}${unit}, and it is ${short(mean[n])}${unit}.${inside}`;
  };

  const swatch = (name, words, style) => h("span", {}, h("i", { className: name, style: style ?? "" }), words);
  const tellAll = answers(el);
  const draw = () => {
    if (!root.clientWidth) return; // folded away
    const shown = model.get("shown"), ready = begun();
    picture(field, shown);
    tellAll(shown);
    show.textContent = shown ? "Draw again" : "Show";
    show.setAttribute("aria-disabled", !shown && !ready);
    skip.hidden = shown;
    plane.classList.toggle("mx-done", shown);
    legend.replaceChildren(...(anchor === null ? [] : [swatch("mx-key-anchor", "given")]), ...(ready ? [swatch(bare === "curve" ? "mx-key-guess" : "mx-key-mark", "yours")] : []),
      ...(shown ? [swatch("mx-key-answer", certain ? "stored, and the 95 % interval of the mean" : "stored")] : []),
      ...given.map(([name]) => swatch("mx-key-given", name)));
    table.hidden = !shown;
    if (shown) {
      const guess = filled(drawn(), at), cell = (v) => h("td", { textContent: v ?? "–" });
      const range = (n) => (low[n] === null ? null : `${short(low[n])} to ${short(high[n])}`);
      table.replaceChildren(h("summary", { textContent: "Numbers" }), h("table", {},
        h("thead", {}, h("tr", {}, ...[x.label, "yours", "stored", "95 % interval"].map((v) => h("th", { scope: "col", textContent: v })))),
        h("tbody", {}, ...xs.map((v, n) => h("tr", {}, h("th", { scope: "row", textContent: named(v) }),
          cell(ready ? short(guess[n]) : null), cell(short(mean[n])), cell(range(n)))))));
      return say(status, found() + (ready ? ` ${judged()}` : ""));
    }
    table.replaceChildren();
    const now = drawn()[cursor], first = anchor === null ? "" : ` Given: ${point(anchor)}.`;
    say(status, ready ? (now === null ? `${Here(cursor)} nothing is drawn yet.` : `${Here(cursor)} you expect ${short(now)}${unit}.`)
      : `Draw the ${bare} that you expect, with the pointer or with arrow keys.${first}`);
  };

  picture(print.firstChild, true, [620, 240]);
  print.lastChild.textContent = found();
  const stop = keepDrawn(model, ["guess", "shown"], draw, root);
  el.append(root);
  return stop;
}

export default { render };
