// Keeps what the editor has no button for and would drop: the language and direction of a passage, the scope of a header.
import { Extension } from "django-prose-editor/editor";

const kept = (...names) => Object.fromEntries(names.map((name) => [name, { default: null }]));

export const Passages = Extension.create({
  name: "passages",
  addGlobalAttributes: () => [
    { types: ["paragraph", "listItem"], attributes: kept("lang", "dir") },
    { types: ["link"], attributes: kept("lang", "hreflang") },
    { types: ["tableHeader"], attributes: kept("scope") },
  ],
});
