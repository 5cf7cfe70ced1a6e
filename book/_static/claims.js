// The page Claims: choose which statements to see, and in which order. Without this the page is whole.
addEventListener("DOMContentLoaded", () => {
  const lists = [...document.querySelectorAll(".ledger")];
  if (!lists.length) return;
  const h = (tag, attributes, ...children) => {
    const node = Object.assign(document.createElement(tag), attributes);
    node.append(...children);
    return node;
  };
  const title = (list) => list.closest("section").querySelector("h2").firstChild.textContent;
  const rows = lists.flatMap((list) => [...list.querySelectorAll(".claim")].map((node) => ({
    node, list, paper: title(list), chapter: node.dataset.chapter, verdict: node.querySelector(".verdict").textContent,
    p: node.dataset.p === "" ? Infinity : +node.dataset.p,
  })));
  const verdicts = ["does not hold", "unclear", "holds"];
  const orders = {
    "by paper and figure": null,
    "by p, smallest first": (a, b) => a.p - b.p || 0,
    "by p, largest first": (a, b) => b.p - a.p || 0,
    "by verdict": (a, b) => verdicts.indexOf(a.verdict) - verdicts.indexOf(b.verdict),
  };

  const all = lists[0].cloneNode(false), heads = lists.map((list) => list.querySelector(".head"));
  all.setAttribute("aria-label", "Statements");
  const choice = (name, options) => {
    const select = h("select", { id: `choose-${name}` }, ...options.map((value) => h("option", { value, textContent: value })));
    select.addEventListener("change", show);
    return { select, node: h("div", {}, h("label", { htmlFor: select.id, textContent: name }), select) };
  };
  const every = (what, values) => [`all ${what}`, ...new Set(values)];
  const choices = {
    paper: choice("paper", every("papers", rows.map(({ paper }) => paper))),
    verdict: choice("verdict", every("verdicts", [...verdicts].reverse())),
    chapter: choice("chapter", every("chapters", rows.map(({ chapter }) => chapter).sort())),
  };
  const order = choice("order", Object.keys(orders));
  const count = h("output", { htmlFor: [...Object.keys(choices), "order"].map((name) => `choose-${name}`).join(" ") });
  const bar = h("div", { className: "choices", role: "search" }, ...Object.values(choices).map(({ node }) => node), order.node, count);
  bar.setAttribute("aria-label", "Choose statements");

  function show() {
    const fits = (row) => Object.entries(choices).every(([name, { select }]) => !select.selectedIndex || row[name] === select.value);
    const sorted = orders[order.select.value];
    for (const row of rows) row.node.hidden = !fits(row);
    if (sorted) all.replaceChildren(heads[0].cloneNode(true), ...[...rows].sort(sorted).map(({ node }) => node));
    else lists.forEach((list, n) => list.replaceChildren(heads[n], ...rows.filter((row) => row.list === list).map(({ node }) => node)));
    all.hidden = !sorted;
    for (const list of lists) list.closest("section").hidden = Boolean(sorted) || !rows.some((row) => row.list === list && !row.node.hidden);
    count.textContent = `${rows.filter(({ node }) => !node.hidden).length} of ${rows.length} statements`;
  }
  lists[0].closest("section").before(bar, all);
  show();
});
