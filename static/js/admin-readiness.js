// Checks the page again while it is being written: the whole form is posted, looked at and forgotten.
// Without this script the list is the one that came with the page.
const WAIT_MS = 1200;

const panel = document.querySelector("[data-readiness]");
const form = panel?.closest("form");
const count = panel?.querySelector("[data-readiness-count]");
const list = panel?.querySelector("[data-readiness-list]");
let waiting;
let running;

const typed = () => {
  const data = new FormData(form);
  for (const [name, value] of [...data]) if (value instanceof File) data.delete(name);
  return data;
};

// The count is read out by screen readers when it changes, so it is left alone when it does not.
const say = (words) => {
  if (count.textContent !== words) count.textContent = words;
};

const check = async () => {
  running?.abort();
  running = new AbortController();
  const { signal } = running;
  try {
    const answer = await fetch(panel.dataset.readiness, { method: "POST", body: typed(), signal, redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    const found = await answer.json();
    list.innerHTML = found.list;
    say(found.count);
    panel.classList.remove("needs--refused");
    panel.querySelector(".needs-refused")?.remove();
  } catch (error) {
    if (error.name !== "AbortError") say(panel.dataset.failed);
  }
};

const checkSoon = (event) => {
  if (event?.target.closest?.("[data-readiness]")) return;
  clearTimeout(waiting);
  waiting = setTimeout(check, WAIT_MS);
};

// The place of a problem may be folded away.
const unfold = (event) => {
  const link = event.target.closest("a[href^='#']");
  const place = link && document.getElementById(link.hash.slice(1));
  if (!place) return;
  for (let part = place; part; part = part.parentElement) if (part.localName === "details") part.open = true;
  if (place.matches("input, select, textarea")) {
    event.preventDefault();
    place.scrollIntoView({ block: "center" });
    place.focus({ preventScroll: true });
  }
};

if (panel) {
  for (const name of ["input", "change"]) form.addEventListener(name, checkSoon);
  for (const name of ["formset:added", "formset:removed"]) document.addEventListener(name, checkSoon);
  panel.addEventListener("click", unfold);
}
