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
  editor.setOptions({ editorProps: { attributes: { "aria-label": label.textContent.trim().replace(/:$/, "") } } });
  label.addEventListener("click", () => editor.commands.focus());
});
