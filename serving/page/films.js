// The films that are sent with a question: chosen, labelled, taken away.

import { byId, make } from "./dom.js";

const MOST = 8;
const LARGEST = 15_000_000;

export class Films {
  list = [];

  constructor(complain) {
    this.complain = complain;
    this.compares = false;
    byId("add-film").addEventListener("click", () => byId("film-files").click());
    byId("film-files").addEventListener("change", async (event) => {
      await this.add([...event.target.files]);
      event.target.value = "";
    });
  }

  /** `compares`: two films are an earlier and a current one. */
  offer(shown, compares) {
    byId("add-film").hidden = !shown;
    this.compares = compares;
    if (!shown) this.list = [];
    this.show();
  }

  async add(files) {
    for (const file of files) {
      if (this.list.length === MOST) return this.complain(`At most ${MOST} films can be sent.`);
      if (!/^image\/(png|jpeg|webp)$/.test(file.type)) return this.complain(`${file.name} is no PNG, JPEG or WebP.`);
      if (file.size > LARGEST) return this.complain(`${file.name} is larger than 15 MB.`);
      this.list.push({ name: file.name, url: await read(file) });
    }
    this.complain("");
    return this.show();
  }

  take() {
    const taken = this.labelled();
    this.list = [];
    this.show();
    return taken;
  }

  labelled() {
    const pair = this.compares && this.list.length === 2 ? ["Earlier film", "Current film"] : null;
    return this.list.map((film, number) => ({ label: pair?.[number] ?? (this.list.length === 1 && this.compares ? "Current film" : `Film ${number + 1}`), url: film.url }));
  }

  show() {
    byId("films").replaceChildren(
      ...this.labelled().map((film, number) =>
        make(
          "li",
          {},
          make("img", { src: film.url, alt: "" }),
          make("span", { class: "small" }, film.label),
          make("button", { type: "button", class: "link small", "aria-label": `Take ${film.label} away`, onclick: () => this.drop(number) }, "remove"),
        ),
      ),
      ...(this.list.length === 2 ? [make("li", {}, make("button", { type: "button", class: "quiet small", onclick: () => this.swap() }, "Swap"))] : []),
    );
  }

  drop(number) {
    this.list.splice(number, 1);
    this.show();
    byId("add-film").focus();
  }

  swap() {
    this.list.reverse();
    this.show();
  }
}

const read = (file) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });
