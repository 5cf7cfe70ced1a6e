// Lists of rows on computed pages: choose which to see, find words in them, and sort. Without this a page is whole.
addEventListener("DOMContentLoaded", () => {
  const opened = () => { // what a link leads to is not to be folded
    const there = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!there) return;
    for (let node = there; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    if (there.closest("ul.choosable")) there.scrollIntoView();
  };
  addEventListener("hashchange", opened);
  const place = document.querySelector(".choose");
  if (!place) return opened();
  const { what, choices, orders, find } = JSON.parse(place.dataset.choose);
  const lists = [...document.querySelectorAll("ul.choosable")];
  const h = (tag, attributes, ...children) => {
    const node = Object.assign(document.createElement(tag), attributes);
    node.append(...children);
    return node;
  };
  const rows = lists.flatMap((list) => [...list.children].filter((node) => !node.matches(".head")).map((node) => ({ node, list })));
  const values = ({ node }, name) => node.dataset[name].split("|");
  const compare = (a, b, name) => { // numbers as numbers, the last ones where there is none; words as words
    const [one, other] = [a, b].map(({ node }) => node.dataset[name]);
    return [one, other].some((value) => value === "" || isNaN(value)) && (isNaN(one) || isNaN(other)) ? one.localeCompare(other)
      : (one === "" ? Infinity : +one) - (other === "" ? Infinity : +other) || 0;
  };
  const fields = {};
  const control = (name, node) => {
    node.id = `choose-${name}`;
    node.addEventListener(node.tagName === "INPUT" ? "input" : "change", show);
    fields[name] = node;
    return h("div", {}, h("label", { htmlFor: node.id, textContent: name }), node);
  };
  const select = (name, options) => control(name, h("select", {}, ...options.map((value) => h("option", { value, textContent: value }))));
  const nodes = Object.entries(choices).map(([name, { all, sorted }]) => {
    const found = [...new Set(rows.flatMap((row) => values(row, name)))];
    return select(name, [all, ...(sorted ?? found.sort())]);
  });
  if (find) nodes.unshift(control("find", h("input", { type: "search" })));
  nodes.push(select("order", Object.keys(orders)));
  const count = h("output", {});
  count.setAttribute("for", Object.values(fields).map(({ id }) => id).join(" "));
  const bar = h("div", { className: "choices", role: "search" }, ...nodes, count);
  bar.setAttribute("aria-label", `Choose ${what}`);

  const all = lists[0].cloneNode(false), heads = lists.map((list) => list.querySelector(".head"));
  all.setAttribute("aria-label", what[0].toUpperCase() + what.slice(1));
  const chosen = Object.keys(choices);

  function show() {
    const words = (fields.find?.value ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (row) => chosen.every((name) => !fields[name].selectedIndex || values(row, name).includes(fields[name].value))
      && words.every((word) => (row.text ??= row.node.querySelector("summary").textContent.toLowerCase()).includes(word));
    const by = orders[fields.order.value], few = words.length || chosen.some((name) => fields[name].selectedIndex);
    for (const row of rows) row.node.hidden = !fits(row);
    if (by) {
      const sorted = [...rows].sort((a, b) => by[1] * compare(a, b, by[0]));
      all.replaceChildren(...[heads[0]?.cloneNode(true), ...sorted.map(({ node }) => node)].filter(Boolean));
    } else {
      lists.forEach((list, n) => list.replaceChildren(...[heads[n], ...rows.filter((row) => row.list === list).map(({ node }) => node)].filter(Boolean)));
    }
    all.hidden = !by;
    for (const list of lists) {
      const fold = list.closest("details.folded"), section = list.closest("section:has(> h2)");
      (section ?? list).hidden = Boolean(by) || !rows.some((row) => row.list === list && !row.node.hidden);
      if (fold && (few || fold.dataset.found)) { // what was opened to be found is folded again
        fold.open = Boolean(few);
        fold.dataset.found = few ? "yes" : "";
      }
    }
    count.textContent = `${rows.filter(({ node }) => !node.hidden).length} of ${rows.length} ${what}`;
  }
  place.replaceWith(bar, all);
  show();
  opened();
});
