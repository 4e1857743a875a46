// The search: every word that is typed must begin a word of the section found. An
// ES module where a server hands the page out; it imports nothing, so that the
// same file is an ordinary script where the page is read from a folder.
{
  const most = 50;
  const { pages, sections, words } = globalThis.portreeveManual;
  const lines = words.split("\n");
  const keys = lines.map((line) => line.slice(0, line.indexOf(" ")));
  const cut = (text) => (text.toLowerCase().match(/[\p{L}\p{Nd}_]+/gu) ?? []).filter((w) => [...w].length > 1);
  const titles = sections.map(([page, , heading]) => cut(heading || pages[page][1]));

  // begin is where the words that begin with a prefix start.
  const begin = (prefix) => {
    let low = 0, high = keys.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (keys[mid] < prefix) low = mid + 1; else high = mid;
    }
    return low;
  };

  // holding gives each section that holds the word its weight.
  const holding = (word) => {
    const found = new Map();
    const give = (at, weight) => found.set(at, Math.max(found.get(at) ?? 0, weight));
    for (let i = begin(word); i < keys.length && keys[i].startsWith(word); i++) {
      let at = 0;
      for (const step of lines[i].split(" ").slice(1)) give(at += parseInt(step, 36), keys[i] === word ? 3 : 1);
    }
    titles.forEach((title, at) => {
      if (title.includes(word)) give(at, 9);
      else if (title.some((t) => t.startsWith(word))) give(at, 5);
    });
    return found;
  };

  const find = (text) => {
    const each = [...new Set(cut(text))].slice(0, 8).map(holding);
    if (each.length === 0) return [];
    const all = [...each[0].keys()].filter((at) => each.every((one) => one.has(at)));
    const weight = (at) => each.reduce((sum, one) => sum + one.get(at), 0);
    return all.map((at) => [at, weight(at)]).sort((x, y) => y[1] - x[1] || x[0] - y[0]).map(([at]) => at);
  };

  const input = document.querySelector("input[name=q]");
  const status = document.querySelector("#status");
  const list = document.querySelector("#found");
  const index = document.querySelector("#index");
  const said = status.textContent;

  const show = () => {
    const text = input.value.trim();
    const found = find(text);
    index.hidden = text !== "";
    list.hidden = text === "";
    list.replaceChildren(...found.slice(0, most).map((at) => {
      const [page, id, heading, opening] = sections[at];
      const item = document.createElement("li"), link = document.createElement("a"), where = document.createElement("span");
      link.href = pages[page][0] + (id ? "#" + id : "");
      link.textContent = heading || pages[page][1];
      where.className = "in";
      where.textContent = heading ? pages[page][1] : pages[page][2];
      const words = document.createElement("span");
      words.textContent = opening;
      item.append(link, where, words);
      return item;
    }));
    if (text === "") status.textContent = said;
    else if (found.length === 0) status.textContent = "Nothing holds all of these words. Fewer of them, or their beginnings, find more.";
    else if (found.length > most) status.textContent = `The first ${most} of ${found.length} places.`;
    else status.textContent = found.length === 1 ? "One place." : `${found.length} places.`;
  };

  input.value = new URLSearchParams(location.search).get("q") ?? "";
  input.addEventListener("input", () => {
    const here = new URL(location.href);
    if (input.value.trim()) here.searchParams.set("q", input.value); else here.searchParams.delete("q");
    history.replaceState(null, "", here);
    show();
  });
  input.form.addEventListener("submit", (event) => { event.preventDefault(); show(); list.querySelector("a")?.focus(); });
  if (!location.hash) input.focus();
  show();
}
