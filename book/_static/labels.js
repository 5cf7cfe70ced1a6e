// Labels and roles that Sphinx extensions write and that do not fit what the page shows, and one that they forget.
addEventListener("load", () => {
  const without = (selector, name) => document.querySelectorAll(selector).forEach((node) => node.removeAttribute(name));
  without("summary", "aria-label");
  without(".citation-list", "role");
  document.querySelectorAll("nav summary").forEach((node) => node.setAttribute("aria-label", "pages below"));
});

// On paper, all that a click would open stands open.
addEventListener("beforeprint", () => document.querySelectorAll("main details:not(.about details)").forEach((node) => { node.open = true; }));

// Equations that are wider than their place can be scrolled by key.
{
  const reach = () => document.querySelectorAll("mjx-container[display]").forEach((node) => {
    if (node.scrollWidth > node.clientWidth) node.tabIndex = 0;
  });
  addEventListener("load", () => window.MathJax?.startup?.promise?.then(reach));
  addEventListener("toggle", reach, true);
}
