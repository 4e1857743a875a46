// The list of pages begins at the page shown, where the list has a bar of its own.
{
  const pages = document.querySelector(".pages");
  const here = pages.querySelector("[aria-current]");
  if (here && here.offsetTop > pages.clientHeight) pages.scrollTop = here.offsetTop - pages.clientHeight / 2;
}
// A copy button on every block of code. Of a session in a shell it copies what is
// typed, without prompts and answers.
{
  const typed = (pre) => {
    if (!pre.classList.contains("console")) return pre.textContent + "\n";
    return [...pre.querySelectorAll("b")].map((b) => b.textContent + "\n").join("");
  };
  for (const pre of document.querySelectorAll("article pre")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    let back;
    button.addEventListener("click", async () => {
      let word = "Copied";
      try {
        await navigator.clipboard.writeText(typed(pre));
      } catch { // no permission, or no clipboard by plain HTTP
        getSelection().selectAllChildren(pre);
        word = "Selected";
      }
      button.textContent = word;
      clearTimeout(back);
      back = setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    button.setAttribute("aria-live", "polite");
    const block = document.createElement("div");
    block.className = "block";
    pre.replaceWith(block);
    block.append(pre, button);
  }
}
