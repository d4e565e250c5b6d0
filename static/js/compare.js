// Before and after drawings of two operations.
// First the geometry: pure functions of t (0 before, 1 after), used by the tests too.
// Then the controls. Without this file the page shows both pictures side by side.

const RAD = Math.PI / 180;
const round = (n) => Math.round(n * 100) / 100 || 0;
const at = ([x, y]) => `${round(x)} ${round(y)}`;

/** Turn a point about a centre the way SVG does: positive is clockwise, y runs down. */
export const turn = ([x, y], degrees, [cx, cy] = [0, 0]) => {
  const c = Math.cos(degrees * RAD);
  const s = Math.sin(degrees * RAD);
  return [cx + (x - cx) * c - (y - cy) * s, cy + (x - cx) * s + (y - cy) * c];
};

export const clamp = (t) => Math.min(1, Math.max(0, t));
export const ease = (p) => (p < 0.5 ? 4 * p ** 3 : 1 - (2 - 2 * p) ** 3 / 2);

/* ---- whole spine: centres (mm, hip joint at 0 0, front is +x) and tilts before ---- */
export const BEFORE = {
  S1: [-54.5, -83.9, 17], L5: [-49.3, -106.8, 11.5], L4: [-43.3, -144.3, 6.5], L3: [-39.9, -182.1, 4],
  L2: [-37.6, -219.1, 3], L1: [-35.8, -253.5, 3], T12: [-33.9, -284.9, 4.4], T11: [-31.1, -314.3, 6.4],
  T10: [-27.5, -342.1, 8.5], T9: [-23.2, -367.2, 10.6], T8: [-18.3, -391.2, 12.7], T7: [-12.6, -414.5, 14.8],
  T6: [-6.2, -437.1, 16.9], T5: [0.9, -459, 18.9], T4: [8.5, -480.2, 21], T3: [16.8, -500.5, 23.1],
  T2: [25.8, -520.6, 25.2], T1: [35.3, -539.9, 27.3], C7: [44, -558.4, 22],
};
export const S1_BACK = [-70.7, -88.8];
export const HINGE = [-22.9, -180.9];
export const CUT = 32;
export const PELVIS = 16.1;

/** Centres and tilts at t. L3 is in two halves; `ahead` is how far C7 falls in front of S1. */
export const posture = (t) => {
  const part = ([x, y, tilt], above) => {
    const [px, py] = turn(above ? turn([x, y], -CUT * t, HINGE) : [x, y], PELVIS * t);
    return { x: px, y: py, tilt: tilt + (PELVIS - (above ? CUT : 0)) * t };
  };
  const below = new Set(["S1", "L5", "L4"]);
  const parts = {};
  for (const [name, value] of Object.entries(BEFORE)) {
    if (name === "L3") {
      parts.L3lower = part(value, false);
      parts.L3upper = part(value, true);
    } else parts[name] = part(value, !below.has(name));
  }
  const [sx, sy] = turn(S1_BACK, PELVIS * t);
  const [hx, hy] = turn(HINGE, PELVIS * t);
  return { parts, s1Back: { x: sx, y: sy }, hinge: { x: hx, y: hy }, ahead: parts.C7.x - sx };
};

/* ---- close-ups: mm, middle of L3 at 0 0 ---- */

// A soft line along x = a that follows the bones below and above the place that turns.
const along = (a, low, high, turned, feet, head) => {
  const top = turned([a, high]);
  const reach = Math.hypot(top[0] - a, top[1] - low) / 3; // close to a circle, so it never kinks
  return `M${feet}${a} ${low}C${a} ${round(low - reach)} ${at(turned([a, high + reach]))} ${at(top)}Q${at(turned([a, high - 24]))} ${at(turned(head))}`;
};

// A smooth rod through the heads of the screws, a little longer than the outer two.
const through = (points, over = 7) => {
  const stretch = ([x, y], [fx, fy]) => {
    const d = Math.hypot(x - fx, y - fy);
    return [x + ((x - fx) / d) * over, y + ((y - fy) / d) * over];
  };
  const all = [stretch(points[0], points[1]), ...points, stretch(points.at(-1), points.at(-2))];
  let d = `M${at(all[0])}`;
  for (let i = 0; i < all.length - 1; i++) {
    const [a, b, c, e] = [all[i - 1] ?? all[i], all[i], all[i + 1], all[i + 2] ?? all[i + 1]];
    d += `C${at([b[0] + (c[0] - a[0]) / 6, b[1] + (c[1] - a[1]) / 6])} ${at([c[0] - (e[0] - b[0]) / 6, c[1] - (e[1] - b[1]) / 6])} ${at(c)}`;
  }
  return d;
};

const HEAD = [-46, -5]; // where a screw holds the rod, from the middle of its vertebra
const head = (x, y, tilt = 0) => turn([x + HEAD[0], y + HEAD[1]], tilt, [x, y]);

/** Posterior column: 10 degrees at the back edge of the disc between L3 and L4. */
export const posteriorColumn = (t) => {
  const angle = 10 * t;
  const hinge = [-17, 13.5];
  const turned = (p) => turn(p, -angle, hinge);
  const front = turned([17, 13.5]);
  return {
    degrees: angle,
    front: 24.5 - front[1], // height of the disc in front: 11 to 17
    hinge,
    upper: `rotate(${round(-angle)} ${at(hinge)})`,
    disc: `M-17 13.5Q${at(turned([0, 14.7]))} ${at(front)}Q${at([front[0] + 4.2, (front[1] + 24.5) / 2])} 17 24.5Q0 23.3-17 24.5Q-18 19-17 13.5z`,
    sac: along(-25, 36, -8, turned, "-25 84L", [-25, -80]),
    ligament: along(18.2, 27, 11, turned, "18.2 62L", [18.2, -58]),
    axis: along(31, 40, -2, turned, "31 70L", [31, -66]),
    rod: through([turned(head(0, -37)), turned(head(0, 0)), head(0, 38)]),
  };
};

/** Pedicle subtraction: a 30 degree wedge of L3 closes on its front wall. */
export const pedicleSubtraction = (t) => {
  const angle = 30 * t;
  const hinge = [17, 0];
  const turned = (p) => turn(p, -angle, hinge);
  return {
    degrees: angle,
    hinge,
    upper: `rotate(${round(-angle)} ${at(hinge)})`,
    // the four corners of the wedge: back wall and line of the laminae, above (moving) and below
    corners: { above: [[-17, -9.11], [-43, -16.08]].map(turned), below: [[-17, 9.11], [-43, 16.08]] },
    sac: along(-25, 24, -24, turned, "-30.6 104Q-25 70 ", [-22.6, -132]),
    ligament: along(18.4, 12, -12, turned, "13.8 87Q18.4 62 ", [19.2, -82]),
    axis: along(32, 24, -24, turned, "26 98Q32 68 ", [34, -92]),
    rod: through([turned(head(0.9, -71.5, 3)), turned(head(0, -37)), head(0, 38), head(-1.7, 75.9, 5)]),
  };
};

export const figures = { "posterior-column": posteriorColumn, "pedicle-subtraction": pedicleSubtraction };

/** What is seen at t. In the step mode of figure B the step decides instead. */
export const seen = (t, step = 0) => ({
  fade: step > 1 ? 0 : clamp(1 - t / 0.15), // bone to be removed, at the back
  wedge: step > 1 && step < 4 ? 1 : clamp(1 - t / 0.15), // bone to be removed, in the body
  point: step ? step < 4 : t < 0.15, // callouts of the bone to be removed
  wide: step ? step < 3 : t < 0.15,
  aside: step === 3,
  after: (!step || step > 3) && t > 0.9, // callouts of the result
  screws: step ? true : t > 0.9,
  rods: step ? step === 5 : t > 0.9,
});

/* ---- the page ---- */
const still = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)");

const start = (pair) => {
  const figure = figures[pair.dataset.compare];
  const controls = pair.nextElementSibling;
  const [first, second] = pair.children;
  if (!figure || !controls || !second) return;
  const find = (name) => [...first.querySelectorAll(`[data-part="${name}"]`)];
  const drawing = first.querySelector("svg");
  const labels = [first, second].map((half) => half.querySelector(".compare__label"));
  const words = labels.map((label) => label.textContent);
  const described = [first, second].map((half) => half.querySelector("desc").id);
  const range = controls.querySelector("input");
  const state = controls.querySelector("[data-state]");
  const ends = [...controls.querySelectorAll("[data-to]")];
  const steps = [...controls.querySelectorAll("[data-step]")];
  let now = 0;
  let step = 0;
  let running = 0;

  const sentence = (t) => {
    const text = step ? steps[step - 1].dataset.text : t <= 0 ? state.dataset.before : t >= 1 ? state.dataset.after : state.dataset.between;
    const { degrees, front = 0 } = figure(t);
    return text.replace("{degrees}", Math.round(degrees)).replace("{front}", Math.round(front));
  };

  const draw = (t) => {
    now = t;
    const shape = figure(t);
    const look = seen(t, step);
    for (const el of find("upper")) el.setAttribute("transform", shape.upper);
    for (const name of ["disc", "sac", "ligament", "axis", "rod"]) for (const el of find(name)) el.setAttribute("d", shape[name]);
    for (const name of ["fade", "wedge"]) for (const el of find(name)) el.setAttribute("opacity", round(look[name]));
    for (const el of find("wedge")) el.setAttribute("transform", look.aside ? "translate(-64)" : "translate(0)");
    for (const name of ["point", "wide", "aside", "after", "screws", "rods"]) for (const el of find(name)) el.classList.toggle("is-off", !look[name]);
  };

  // Everything that is words: once a movement, not once a frame.
  const say = (aloud) => {
    const text = sentence(now);
    range.value = Math.round(now * 100);
    range.setAttribute("aria-valuetext", text);
    state.setAttribute("aria-live", aloud ? "polite" : "off");
    state.textContent = text;
    labels[0].textContent = words[now < 0.5 ? 0 : 1];
    labels[0].classList.toggle("is-off", (now > 0 && now < 1) || (step > 1 && step < 5));
    drawing.setAttribute("aria-describedby", described[now < 1 ? 0 : 1]);
    first.classList.toggle("is-after", now === 1);
    ends.forEach((button) => button.setAttribute("aria-pressed", String(!(step % 5) && now === Number(button.dataset.to))));
    steps.forEach((button, i) => (i + 1 === step ? button.setAttribute("aria-current", "step") : button.removeAttribute("aria-current")));
  };

  const move = (to) => {
    cancelAnimationFrame(running);
    const from = now;
    const done = () => {
      draw(to);
      say(true);
    };
    if (still?.matches || from === to) return done();
    labels[0].classList.add("is-off");
    const begin = performance.now();
    const frame = (time) => {
      const p = clamp((time - begin) / 1200);
      if (p === 1) return done();
      draw(from + (to - from) * ease(p));
      range.value = Math.round(now * 100);
      running = requestAnimationFrame(frame);
    };
    running = requestAnimationFrame(frame);
  };

  range.addEventListener("input", () => {
    cancelAnimationFrame(running);
    const t = range.valueAsNumber / 100;
    if (step) step = t <= 0 ? 3 : t >= 1 ? 5 : 4;
    draw(t);
    say(false);
  });
  for (const button of ends) {
    button.addEventListener("click", () => {
      step = 0;
      move(Number(button.dataset.to));
    });
  }
  for (const button of steps) {
    button.addEventListener("click", () => {
      step = Number(button.dataset.step);
      if (step === 4 && now === 1) draw(0);
      if (step < 4) now = 0;
      if (step === 5) now = 1;
      move(step > 3 ? 1 : 0);
    });
  }

  // On paper both states are shown, so the first picture goes back to the start.
  let kept = null;
  addEventListener("beforeprint", () => {
    kept ??= [now, step];
    cancelAnimationFrame(running);
    step = 0;
    draw(0);
    say(false);
  });
  addEventListener("afterprint", () => {
    if (!kept) return;
    [now, step] = kept;
    kept = null;
    draw(now);
    say(false);
  });

  drawing.setAttribute("aria-labelledby", `${controls.dataset.alt} ${state.id}`);
  pair.classList.add("is-live");
  controls.hidden = false;
  draw(0);
  say(false);
};

if (globalThis.document) for (const pair of document.querySelectorAll("[data-compare]")) start(pair);
