// Terms: what one means shows where a reader points at it, taps it, or reaches it by key; Escape hides it.
addEventListener("DOMContentLoaded", () => {
  const terms = [...document.querySelectorAll("a.term")];
  if (!terms.length) return;
  const box = Object.assign(document.createElement("div"), { className: "meaning", hidden: true });
  document.body.append(box);
  let shown = null, later = 0, touched = false;
  const hide = () => { clearTimeout(later); box.hidden = true; shown = null; };
  const show = (term) => {
    clearTimeout(later);
    if (shown === term) return;
    shown = term;
    box.replaceChildren(...document.getElementById(term.getAttribute("aria-describedby")).cloneNode(true).childNodes);
    box.hidden = false;
    const place = term.getClientRects()[0], edge = 8, wide = document.documentElement.clientWidth;
    const left = Math.max(edge, Math.min(place.left, wide - box.offsetWidth - edge));
    const below = place.bottom + 6, above = place.top - box.offsetHeight - 6;
    box.style.left = `${left + scrollX}px`;
    box.style.top = `${(below + box.offsetHeight > innerHeight && above > 0 ? above : below) + scrollY}px`;
  };
  const leave = () => { clearTimeout(later); later = setTimeout(hide, 250); };
  for (const term of terms) {
    term.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") show(term); });
    term.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") leave(); });
    term.addEventListener("pointerdown", (event) => { touched = event.pointerType !== "mouse"; });
    term.addEventListener("focus", () => { if (!touched) show(term); });
    term.addEventListener("blur", leave);
    term.addEventListener("click", (event) => { // a tap shows it; from there a link leads on
      if (!touched) return;
      event.preventDefault();
      if (shown === term) hide(); else show(term);
    });
  }
  box.addEventListener("pointerenter", () => clearTimeout(later));
  box.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") leave(); });
  addEventListener("pointerdown", (event) => { if (!box.contains(event.target) && !event.target.closest?.("a.term")) hide(); });
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
});
