// The consultation form works the same without these lines.
const form = document.querySelector("#consultation-form");
let sent = false;
form.addEventListener("submit", (event) => {
  sent ||= !event.defaultPrevented && !event.submitter?.formNoValidate;
});

// Without a connection the browser would leave for a page of its own, and everything typed would be lost.
const notice = document.querySelector("[data-offline]");
form.addEventListener("submit", (event) => {
  notice.hidden = navigator.onLine;
  if (navigator.onLine) return;
  event.preventDefault();
  notice.scrollIntoView({ block: "center" });
}, { capture: true });

// Back after sending, with the page kept alive: nothing that was typed may still be read.
addEventListener("pageshow", (event) => {
  if (event.persisted && sent) location.reload();
});

// A link from the error summary may lead into a part that was folded again.
addEventListener("click", (event) => {
  const link = event.target.closest?.(".error-summary a[href^='#']");
  if (link) document.querySelector(link.hash)?.closest("details")?.setAttribute("open", "");
});
