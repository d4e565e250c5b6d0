// A table typed row by row gets another blank row at a press; without a script the form comes back with blank ones.
for (const button of document.querySelectorAll("[data-more-rows]")) {
  const body = button.parentElement.querySelector("[data-rows] tbody");
  button.hidden = false;
  button.addEventListener("click", () => {
    const row = body.lastElementChild.cloneNode(true);
    for (const input of row.querySelectorAll("input")) {
      input.name = input.name.replace(/-(\d+)-/, (_, number) => `-${Number(number) + 1}-`);
      input.setAttribute("aria-label", input.getAttribute("aria-label").replace(/^\d+/, (number) => Number(number) + 1));
      if (input.type === "checkbox") input.checked = false;
      else input.value = "";
    }
    body.append(row);
    row.querySelector("input").focus();
  });
}
