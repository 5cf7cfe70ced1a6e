// Two labels and roles that Sphinx extensions write and that do not fit what the page shows.
addEventListener("load", () => {
  const without = (selector, name) => document.querySelectorAll(selector).forEach((node) => node.removeAttribute(name));
  without("summary", "aria-label");
  without(".citation-list", "role");
});
