// The text editor adds a <style> of its own unless it finds one with this mark; the policy would block it.
// Its rules stand in admin.css, and an element without a namespace bears the mark without being a stylesheet.
const mark = document.createElementNS(null, "style");
mark.setAttribute("data-tiptap-style", "");
document.head.append(mark);

// The editor stands in for a hidden textarea: it takes over the label, for screen readers and for clicks.
document.addEventListener("prose-editor:ready", (event) => {
  const { editor, textarea } = event.detail;
  const label = textarea.labels[0];
  if (!label) return;
  const attributes = { "aria-label": label.textContent.trim().replace(/:$/, "") };
  if (textarea.lang) attributes.lang = textarea.lang;
  editor.setOptions({ editorProps: { attributes } });
  label.addEventListener("click", () => editor.commands.focus());
});

// Search boxes that stand in for a select get its label too.
const nameSearchBoxes = () => {
  for (const select of document.querySelectorAll("select.admin-autocomplete")) {
    const box = select.parentElement.querySelector(".select2-selection");
    if (!box || !select.labels[0]) continue;
    select.labels[0].id ||= `${select.id}-label`;
    const shown = box.querySelector(".select2-selection__rendered");
    for (const part of [box, shown]) part?.setAttribute("aria-labelledby", `${select.labels[0].id} ${shown?.id ?? ""}`.trim());
  }
};
addEventListener("load", nameSearchBoxes);
document.addEventListener("formset:added", () => setTimeout(nameSearchBoxes));

// An address or anchor that follows from a name is a proposal: pressed, it is chosen whole, so that what one types replaces it.
// From the first letter typed there it no longer follows the name.
const isProposed = (field) =>
  field.defaultValue === "" && field.value !== "" && window.django?.jQuery(field).data("_changed") === false;
for (const press of ["focusin", "click"]) {
  document.addEventListener(press, ({ target }) => {
    if (target.matches("input[type=text]") && isProposed(target)) target.select();
  });
}
document.addEventListener("input", ({ target }) => {
  const known = window.django?.jQuery(target);
  if (known?.data("_changed") === false) known.data("_changed", true);
});
