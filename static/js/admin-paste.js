// What word processors put on the clipboard, made into what an editor meant: lists that are drawn with bullets and
// indents become lists, and what carries no words goes. The editor's own schema drops every style, class and foreign element.
{
  const isFakeItem = (block) => block.matches?.("p, h1, h2, h3, h4, h5, h6") && /mso-list:\s*l\d+ level\d+/i.test(block.getAttribute("style") ?? "");
  const levelOf = (block) => Number(/level(\d+)/i.exec(block.getAttribute("style"))[1]);

  // The number or bullet of an item, taken off it; says whether the list counts.
  const takeMarker = (block) => {
    const marker = [...block.querySelectorAll("span")].find((span) => /mso-list:\s*ignore/i.test(span.getAttribute("style") ?? ""));
    marker?.remove();
    return /^\s*(?:\d+|[a-z]|[ivx]+)[.)]/i.test(marker?.textContent ?? "");
  };

  // A run of neighbouring items becomes one list; deeper levels become lists in the item before.
  const makeLists = (root) => {
    for (const block of [...root.querySelectorAll("[style*='mso-list']")]) {
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
    for (const span of root.querySelectorAll("span[style], b[style], strong[style]")) {
      const style = span.getAttribute("style");
      const isBold = /(?<![-\w])font-weight:\s*(?:bold|[6-9]00)/i.test(style);
      if (span.matches("b, strong") && /(?<![-\w])font-weight:\s*normal/i.test(style)) span.replaceWith(...span.childNodes);
      else if (isBold && !span.closest("b, strong")) {
        const strong = root.ownerDocument.createElement("strong");
        strong.append(...span.childNodes);
        span.append(strong);
      }
    }
  };

  const comments = (root) => {
    const found = root.ownerDocument.createTreeWalker(root, NodeFilter.SHOW_COMMENT);
    const all = [];
    while (found.nextNode()) all.push(found.currentNode);
    return all;
  };

  // The HTML of a clipboard without what a word processor adds to it.
  const tidy = (html) => {
    if (!/mso-|class="?Mso|urn:schemas-microsoft-com|docs-internal-guid/i.test(html)) return html;
    // Conditional comments that HTML does not know as comments: <![if !supportLists]>
    const page = new DOMParser().parseFromString(html.replace(/<!\[(?:if|endif)[^\]>]*\]>/gi, ""), "text/html");
    const root = page.body;
    for (const node of [...comments(root), ...root.querySelectorAll("style, script, meta, link, xml, title")]) node.remove();
    makeLists(root);
    keepEmphasis(root);
    for (const node of root.querySelectorAll("o\\:p, st1\\:place, v\\:shape")) node.replaceWith(...node.childNodes);
    // A line that holds only a space is Word's way of leaving room.
    for (const block of root.querySelectorAll("p")) if (!block.textContent.replace(/[\s\u00a0]/g, "") && !block.querySelector("img")) block.remove();
    // Word writes runs of unbreakable spaces for indents.
    return root.innerHTML.replace(/&nbsp;/g, " ");
  };

  document.addEventListener("prose-editor:ready", ({ detail }) => detail.editor.view.setProps({ transformPastedHTML: tidy }));
}
