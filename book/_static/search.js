// Search: pages that speak of what is asked, the page about it first, with the sentences; from the index of the build.
addEventListener("DOMContentLoaded", () => {
  const list = document.getElementById("search-results"), input = document.querySelector(".bd-search-container form.bd-search input");
  if (!list || !window.MiniSearch) return;
  const MOST = 20, SECTIONS = 3, AROUND = 110;
  const words = (text) => (text.match(/[\p{L}\p{N}]+(?:[-−][\p{L}\p{N}]+)*/gu) ?? [])
    .flatMap((word) => (/[-−]/.test(word) ? [word, ...word.split(/[-−]/)] : [word])); // one-shot: whole, and by its parts
  const index = new MiniSearch({
    fields: ["terms", "title", "heading", "text"], storeFields: ["page", "title", "part", "anchor", "heading", "text"], tokenize: words,
    searchOptions: { boost: { terms: 12, title: 6, heading: 4 }, combineWith: "AND", prefix: (term) => term.length > 2, fuzzy: (term) => (term.length > 5 ? 0.17 : 0), weights: { prefix: 0.6, fuzzy: 0.2 } },
  });
  index.addAll(window.siftingSearch);
  const h = (tag, attributes, ...children) => {
    const node = Object.assign(document.createElement(tag), attributes);
    node.append(...children);
    return node;
  };
  const said = h("p", { className: "search-count" });
  said.setAttribute("role", "status");
  list.before(said);

  function excerpt(text, terms) { // around the first place of what was found, marked
    const found = new RegExp(`(?<![\\p{L}\\p{N}])(${terms.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})(?![\\p{L}\\p{N}])`, "giu");
    const at = text.search(found);
    if (at < 0) return null;
    let begin = Math.max(0, at - AROUND), end = Math.min(text.length, at + 2 * AROUND);
    if (begin) begin = text.indexOf(" ", begin) + 1 || begin;
    if (end < text.length) end = Math.max(text.lastIndexOf(" ", end), at + 1);
    const line = h("p", {});
    if (begin) line.append("… ");
    for (const [number, part] of text.slice(begin, end).split(found).entries()) line.append(number % 2 ? h("mark", { textContent: part }) : part);
    if (end < text.length) line.append(" …");
    return line;
  }

  function show() {
    const query = input.value.trim();
    let found = query ? index.search(query) : [];
    if (query && !found.length) found = index.search(query, { combineWith: "OR" });
    const pages = new Map();
    for (const hit of found) {
      if (!pages.has(hit.page)) pages.set(hit.page, { score: 0, hits: [] });
      const page = pages.get(hit.page);
      page.score = Math.max(page.score, hit.score) + 0.02 * Math.min(page.score, hit.score);
      page.hits.push(hit);
    }
    const shown = [...pages.values()].sort((a, b) => b.score - a.score).slice(0, MOST);
    list.replaceChildren(h("ol", { className: "found" }, ...shown.map(({ hits }) => {
      const [{ page, title, part }] = hits;
      const item = h("li", {}, h("a", { href: `book/${page}.html`, textContent: title }), h("small", { textContent: part ? ` ${part}` : "" }));
      for (const hit of hits.slice(0, SECTIONS)) {
        const line = excerpt(hit.text, hit.terms) ?? (hit === hits[0] ? h("p", { textContent: `${hit.text.slice(0, 2 * AROUND)} …` }) : null);
        if (!line && !hit.anchor) continue;
        const place = h("div", { className: "place" });
        if (hit.anchor) place.append(h("a", { href: `book/${page}.html#${hit.anchor}`, textContent: hit.heading }));
        if (line) place.append(line);
        item.append(place);
      }
      return item;
    })));
    said.textContent = !query ? "" : pages.size ? `${pages.size} page${pages.size > 1 ? "s" : ""} found` : `Nothing found for “${query}”.`;
  }
  input.value = new URLSearchParams(location.search).get("q") ?? "";
  input.addEventListener("input", show);
  input.form.addEventListener("submit", (event) => {
    event.preventDefault();
    history.replaceState(null, "", `?q=${encodeURIComponent(input.value)}`);
    show();
  });
  show();
});
