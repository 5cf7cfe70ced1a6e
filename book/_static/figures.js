// Figures: enlarged in a dialog, by click, tap or key; there they can be zoomed by buttons, keys and two fingers.
addEventListener("DOMContentLoaded", () => {
  const links = [...document.querySelectorAll("a.enlarge")];
  if (!links.length || !window.HTMLDialogElement) return;
  const h = (tag, attributes, ...children) => {
    const node = Object.assign(document.createElement(tag), attributes);
    node.append(...children);
    return node;
  };
  const LEAST = 0.4, MOST = 8, LEGIBLE = 1.25, STEP = 1.25; // of the size that a figure is drawn at
  const SLACK = 1.1; // a panel that is as little too wide for a phone is made narrower, and not scrolled
  let zoom = 1, natural = 1;
  const picture = h("img", { className: "enlarged" });
  const pane = h("div", { className: "pane", tabIndex: 0 }, picture);
  const set = (value, x = pane.clientWidth / 2, y = pane.clientHeight / 2) => { // what is at x, y stays there
    const before = zoom;
    zoom = Math.max(LEAST, Math.min(MOST, value));
    picture.style.width = `${natural * zoom}px`;
    pane.scrollLeft = (pane.scrollLeft + x) * zoom / before - x;
    pane.scrollTop = (pane.scrollTop + y) * zoom / before - y;
  };
  const fit = () => pane.clientWidth / natural;
  const button = (label, words, act) => {
    const node = h("button", { type: "button", textContent: words });
    node.setAttribute("aria-label", label);
    node.addEventListener("click", act);
    return node;
  };
  const title = h("strong");
  const bar = h("div", { className: "bar" }, title, button("smaller", "−", () => set(zoom / STEP)), button("larger", "+", () => set(zoom * STEP)),
    button("fit to the screen", "fit", () => set(fit())), button("close", "×", () => dialog.close()));
  const dialog = h("dialog", { className: "enlarged" }, bar, pane);
  dialog.setAttribute("aria-label", "Enlarged figure");
  pane.setAttribute("role", "region");
  pane.setAttribute("aria-label", "Figure, can be scrolled");
  document.body.append(dialog);

  const open = (link) => {
    const shown = link.closest("figure").querySelector(".scroll img");
    title.textContent = link.closest("figure").id;
    picture.src = shown.src;
    picture.alt = shown.alt;
    natural = shown.naturalWidth || 730;
    dialog.showModal();
    zoom = 1;
    pane.scrollTo(0, 0);
    set(Math.max(LEGIBLE, Math.min(fit(), 2)), 0, 0);
    pane.focus();
  };
  for (const link of links) {
    const act = (event) => { if (!event.ctrlKey && !event.metaKey) { event.preventDefault(); open(link); } };
    link.addEventListener("click", act);
    const shown = link.closest("figure").querySelector(".scroll img");
    shown.style.cursor = "zoom-in";
    shown.addEventListener("click", act);
  }
  // On a phone, the panels of a figure stand one below another, each as wide as the screen; they are parts of the same
  // file. Where even a panel is too wide for its labels to be read, it is scrolled.
  const crop = (source, [x, y, wide, high], ratio, all) => { // all: the width of its row, in shares of the picture, too
    const node = h("span", { className: "crop" }, h("img", { src: source, alt: "", loading: "lazy" }));
    node.style.cssText = `width: ${(100 * wide) / all}%; aspect-ratio: ${(wide * ratio) / high}`;
    node.firstChild.style.cssText = `width: ${100 / wide}%; left: ${(-100 * x) / wide}%; top: ${(-100 * y) / high}%`;
    return node;
  };
  const stack = (shown) => {
    const natural = +shown.getAttribute("width"), ratio = natural / shown.getAttribute("height");
    const rows = JSON.parse(shown.dataset.cut).map(([scale, x, y, wide, high, left, side, below]) => {
      const parts = [[x, y, wide, high], ...(side ? [[left, y, side, high]] : [])].reverse();
      const all = wide + (side ?? 0), size = natural * all;
      const row = h("div", { className: "beside" }, ...parts.map((part) => crop(shown.src, part, ratio, all)));
      if (side) row.firstChild.style.clipPath = `inset(0 0 ${100 * below}% 0)`; // names below belong to another panel
      return Object.assign(h("div", { className: "piece" }, row), { size, least: scale * size, top: y });
    });
    const widest = (top) => Math.max(...rows.filter((row) => row.top === top).map((row) => row.size)); // what stood in a row keeps one scale
    for (const row of rows) row.share = row.size / widest(row.top);
    const node = h("div", { className: "stack" }, ...rows);
    node.setAttribute("role", "img");
    node.setAttribute("aria-label", shown.alt);
    shown.closest(".scroll").before(node);
    const reach = () => node.querySelectorAll(".piece").forEach((piece) => {
      const room = node.clientWidth - 16, cut = piece.least > SLACK * room; // 16: its padding
      piece.firstChild.style.width = `${cut ? piece.least : Math.min(room * piece.share, LEGIBLE * piece.size)}px`;
      piece.classList.toggle("cut", cut);
      if (cut) piece.tabIndex = 0; else piece.removeAttribute("tabindex");
    });
    new ResizeObserver(reach).observe(node);
    return node;
  };
  const phone = matchMedia("(max-width: 576px)");
  const restack = () => phone.matches && document.querySelectorAll(".sifting-figure > .scroll img[data-cut]").forEach((shown) => {
    if (shown.dataset.stacked) return;
    shown.dataset.stacked = "true";
    const link = shown.closest("figure").querySelector("a.enlarge");
    stack(shown).addEventListener("click", () => link && open(link));
  });
  phone.addEventListener("change", restack);
  restack();

  dialog.addEventListener("keydown", (event) => {
    const factor = { "+": STEP, "=": STEP, "-": 1 / STEP }[event.key];
    if (factor) set(zoom * factor);
    else if (event.key === "0") set(fit());
    else if (event.key === "Escape") dialog.close();
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  pane.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return; // this, too, is how two fingers on a pad speak
    event.preventDefault();
    const box = pane.getBoundingClientRect();
    set(zoom * Math.exp(-event.deltaY / 200), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  const fingers = new Map();
  const apart = () => { const [a, b] = fingers.values(); return Math.hypot(a.x - b.x, a.y - b.y); };
  pane.addEventListener("pointerdown", (event) => fingers.set(event.pointerId, { x: event.clientX, y: event.clientY }));
  pane.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = fingers.size === 2 ? apart() : 0;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (!before) return;
    const [a, b] = fingers.values(), box = pane.getBoundingClientRect();
    set(zoom * apart() / before, (a.x + b.x) / 2 - box.left, (a.y + b.y) / 2 - box.top);
  });
  for (const kind of ["pointerup", "pointercancel", "pointerleave"]) pane.addEventListener(kind, (event) => fingers.delete(event.pointerId));
});
