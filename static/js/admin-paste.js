// What word processors put on the clipboard, made into what an editor meant: lists that are drawn with bullets and
// indents become lists, and what carries no words goes. The editor's own schema drops every style, class and foreign element.
{
  const isFakeItem = (block) => block.matches?.("p, h1, h2, h3, h4, h5, h6") && /mso-list:\s*l\d+ level\d+/i.test(block.dataset.style ?? "");
  const levelOf = (block) => Number(/level(\d+)/i.exec(block.dataset.style)[1]);

  // The number or bullet of an item, taken off it; says whether the list counts.
  const takeMarker = (block) => {
    const marker = [...block.querySelectorAll("span")].find((span) => /mso-list:\s*ignore/i.test(span.dataset.style ?? ""));
    marker?.remove();
    return /^\s*(?:\d+|[a-z]|[ivx]+)[.)]/i.test(marker?.textContent ?? "");
  };

  // A run of neighbouring items becomes one list; deeper levels become lists in the item before.
  const makeLists = (root) => {
    for (const block of [...root.querySelectorAll("[data-style*='mso-list']")]) {
      if (!isFakeItem(block) || !block.isConnected) continue;
      const open = [];
      const place = root.ownerDocument.createComment("");
      block.before(place);
      for (let item = block; item && isFakeItem(item); ) {
        const next = item.nextElementSibling;
        const level = levelOf(item);
        const counts = takeMarker(item);
        while (open.length && open.at(-1).level > level) open.pop();
        if (!open.length || open.at(-1).level < level) {
          const list = root.ownerDocument.createElement(counts ? "ol" : "ul");
          const parent = open.at(-1)?.list.lastElementChild;
          if (parent) parent.append(list);
          else place.before(list);
          open.push({ level, list });
        }
        const entry = root.ownerDocument.createElement("li");
        const text = root.ownerDocument.createElement("p");
        text.append(...item.childNodes);
        entry.append(text);
        open.at(-1).list.append(entry);
        item.remove();
        item = next;
      }
      place.remove();
    }
  };

  // Bold and italic that a style says become elements; a style that takes them back takes the element away.
  const keepEmphasis = (root) => {
    for (const span of root.querySelectorAll("span[data-style], b[data-style], strong[data-style]")) {
      const style = span.dataset.style;
      const isBold = /(?<![-\w])font-weight:\s*(?:bold|[6-9]00)/i.test(style);
      if (span.matches("b, strong") && /(?<![-\w])font-weight:\s*normal/i.test(style)) span.replaceWith(...span.childNodes);
      else if (isBold && !span.closest("b, strong")) {
        const strong = root.ownerDocument.createElement("strong");
        strong.append(...span.childNodes);
        span.append(strong);
      }
    }
  };

  // The HTML of a clipboard without what a word processor adds to it. What the editor itself copied stays as it is.
  const tidy = (html) => {
    if (html.includes("data-pm-slice")) return html;
    // Before anything is parsed: the page's policy would complain of every style, and <![if …]> is no comment of HTML's.
    const bare = html
      .replace(/<!--[\s\S]*?-->|<![^>]*>|<style[\s\S]*?<\/style>/gi, "")
      .replace(/(<[a-z][^>]*?\s)style=/gi, "$1data-style=");
    const root = new DOMParser().parseFromString(bare, "text/html").body;
    for (const node of root.querySelectorAll("script, meta, link, xml, title")) node.remove();
    makeLists(root);
    keepEmphasis(root);
    // A line that holds only a space is Word's way of leaving room.
    for (const block of root.querySelectorAll("p")) if (!block.textContent.replace(/[\s\u00a0]/g, "")) block.remove();
    return root.innerHTML.replace(/&nbsp;/g, " ");
  };

  document.addEventListener("prose-editor:ready", ({ detail }) => detail.editor.view.setProps({ transformPastedHTML: tidy }));
}
