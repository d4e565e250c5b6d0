// A click on the preview of a photo fills in the two numbers of its focal point; they work without it too.
const box = document.querySelector("[data-focal-point]");
const [across, down] = ["x", "y"].map((axis) => document.getElementById(`id_focal_${axis}`));

if (box && across && down) {
  const [whole, mark, crop] = ["svg", "[data-focal-mark]", "[data-focal-crop]"].map((part) => box.querySelector(part));
  const percent = (value) => Math.min(100, Math.max(0, Math.round(value) || 0));
  const show = () => {
    const [x, y] = [percent(across.value), percent(down.value)];
    mark.setAttribute("x", `${x}%`);
    mark.setAttribute("y", `${y}%`);
    crop.className = `focal-x${Math.floor((x + 5) / 10)} focal-y${Math.floor((y + 5) / 10)}`;
  };
  whole.addEventListener("click", (event) => {
    const frame = whole.getBoundingClientRect();
    across.value = percent((100 * (event.clientX - frame.left)) / frame.width);
    down.value = percent((100 * (event.clientY - frame.top)) / frame.height);
    show();
  });
  for (const field of [across, down]) field.addEventListener("input", show);
  box.querySelector("[data-focal-hint]").hidden = false;
}
