// Enhancements only: every page works without this file.
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Move focus to the error summary, so that it is read out first.
document.querySelector("[data-focus]")?.focus();

// One request per press: the button stays pressed until the answer arrives.
for (const form of all("form[data-once]")) {
  const button = form.querySelector("[type=submit]");
  const label = button.firstChild.textContent;
  const again = () => {
    button.removeAttribute("aria-disabled");
    button.firstChild.textContent = label;
  };
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.submitter?.formNoValidate) return; // changes the language, sends nothing
    if (button.getAttribute("aria-disabled") === "true") return event.preventDefault();
    button.setAttribute("aria-disabled", "true");
    if (button.dataset.busy) button.firstChild.textContent = button.dataset.busy;
    // Who stopped a slow connection by hand must be able to press again; the server knows a repeated press.
    setTimeout(again, 15_000);
  });
  // Coming back with the browser's back button makes the form usable again.
  addEventListener("pageshow", again);
}

// "None of these" and the warning signs exclude each other.
for (const none of all('[name="red_flags"][value="none"]')) {
  const others = all('[name="red_flags"]:not([value="none"])', none.form);
  none.addEventListener("change", () => none.checked && others.forEach((box) => (box.checked = false)));
  others.forEach((box) => box.addEventListener("change", () => box.checked && (none.checked = false)));
}

// The map of the spine and the list beside it light up together.
for (const part of all("[data-region]")) {
  const pair = all(`[data-region="${part.dataset.region}"]`);
  for (const [event, hot] of [["pointerenter", true], ["pointerleave", false], ["focus", true], ["blur", false]]) {
    part.addEventListener(event, () => pair.forEach((other) => other.classList.toggle("is-hot", hot)));
  }
}

// The bar at the foot of phones comes up once the buttons it repeats are out of sight.
const bar = document.querySelector("[data-action-bar]");
const asks = all("[data-main-action], .masthead__ask");
if (bar && asks.length) {
  const seen = new Set();
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) entry.isIntersecting ? seen.add(entry.target) : seen.delete(entry.target);
    bar.classList.toggle("is-away", seen.size > 0);
  });
  asks.forEach((ask) => watcher.observe(ask));
}

// Mark the part being read in the contents list, where the list stands beside the text.
const links = new Map(all(".toc a").map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
const beside = matchMedia("(min-width: 62rem)");
if (links.size) {
  const headings = all(".article__body [id]").filter((heading) => links.has(heading.id));
  let current, waiting;
  const mark = () => {
    waiting = false;
    const line = innerHeight * 0.25;
    const here = links.get(headings.findLast((heading) => heading.getBoundingClientRect().top < line)?.id);
    if (here === current) return;
    current?.removeAttribute("aria-current");
    here?.setAttribute("aria-current", "true");
    current = here;
    const rail = here?.closest(".toc");
    // Not under a keyboard's focus: that would carry the focused link out of sight.
    if (rail && rail.scrollHeight > rail.clientHeight && !rail.contains(document.activeElement)) rail.scrollTop = here.offsetTop - rail.clientHeight / 2;
  };
  const soon = () => {
    if (!waiting && beside.matches) waiting = requestAnimationFrame(mark);
  };
  addEventListener("scroll", soon, { passive: true });
  beside.addEventListener("change", soon);
  soon();
}

// A contents list that lies over the text on phones closes once it has been used.
for (const list of all(".toc details")) {
  list.addEventListener("click", (event) => event.target.closest("a") && (list.open = false));
}

// A medical word shows its meaning where it stands. Without this it is a link to the glossary, and so it stays on any failure.
const words = all("a.term");
if (words.length && "showPopover" in HTMLElement.prototype) {
  const card = document.createElement("div");
  card.id = "meaning";
  card.className = "meaning";
  card.popover = "auto";
  card.setAttribute("role", "group");
  card.setAttribute("aria-labelledby", "meaning-term");
  const [term, definition, foot, more] = ["p", "p", "p", "a"].map((tag) => document.createElement(tag));
  term.id = "meaning-term";
  term.className = "meaning__term";
  foot.append(more);
  card.append(term, definition, foot);
  document.body.append(card);

  let loading, shown, held;
  const meanings = () => {
    loading ??= fetch(new URL("terms.json", words[0].href)).then((answer) => (answer.ok ? answer.json() : Promise.reject(answer)));
    loading.catch(() => (loading = undefined));
    return loading;
  };
  // Below the word, or above it where there is no room; never past the edges of the window.
  const place = (word) => {
    const lines = [...word.getClientRects()];
    const left = Math.max(16, Math.min(lines[0].left, document.documentElement.clientWidth - card.offsetWidth - 16));
    const above = lines[0].top - card.offsetHeight - 8;
    const below = lines.at(-1).bottom + 8;
    const top = below + card.offsetHeight > innerHeight && above > 0 ? above : below;
    card.style.inset = `${top + scrollY}px auto auto ${left + scrollX}px`;
  };
  card.addEventListener("beforetoggle", (event) => {
    if (event.newState !== "closed") return;
    shown?.setAttribute("aria-expanded", "false");
    shown = undefined;
  });
  for (const word of words) {
    word.setAttribute("role", "button");
    word.setAttribute("aria-expanded", "false");
    word.setAttribute("aria-controls", card.id);
    for (const event of ["pointerenter", "focus"]) word.addEventListener(event, () => meanings().catch(() => {}));
    // A press on the word closes its card before the click comes: that click is not to open it again.
    word.addEventListener("pointerdown", () => (held = shown));
    word.addEventListener("keydown", (event) => {
      held = undefined;
      if (event.key !== " ") return;
      event.preventDefault();
      word.click();
    });
    word.addEventListener("click", async (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      if (shown === word || held === word) return card.hidePopover();
      try {
        const found = await meanings();
        [term.textContent, definition.textContent] = found.terms[word.hash.slice(1)];
        more.textContent = found.more;
      } catch {
        return location.assign(word.href);
      }
      if (card.matches(":popover-open")) card.hidePopover();
      more.href = word.href;
      word.after(card);
      card.showPopover();
      place(word);
      shown = word;
      word.setAttribute("aria-expanded", "true");
    });
  }
  addEventListener("resize", () => shown && place(shown));
}

// The menu takes the focus when it opens, and what lies over the page closes when the focus leaves it: it would hide where that went.
const menu = document.querySelector("#nav");
menu?.addEventListener("toggle", () => menu.matches(":popover-open") && menu.querySelector("button").focus());
addEventListener("focusin", ({ target }) => {
  const open = "showPopover" in target && document.querySelector(":popover-open");
  if (open && !open.contains(target) && !target.contains(open) && target.getAttribute("aria-expanded") !== "true") open.hidePopover();
});

// Print the page, or only the list that a button stands in.
for (const button of all("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const sheet = button.closest("[data-sheet]");
    sheet?.classList.add("is-printed");
    document.body.classList.toggle("is-printing", Boolean(sheet));
    print();
  });
}
addEventListener("afterprint", () => {
  document.body.classList.remove("is-printing");
  all(".is-printed").forEach((sheet) => sheet.classList.remove("is-printed"));
});
