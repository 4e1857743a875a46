// Opens the app, and the store where no app took over. All that it does the two
// links of the page do as well.

const open = document.getElementById("open");
const store = document.getElementById("store");
const status = document.getElementById("status");

let away = false;
const leave = () => { away = true; };
addEventListener("pagehide", leave);
addEventListener("blur", leave);
document.addEventListener("visibilitychange", () => { if (document.hidden) leave(); });

// Whoever comes back by the back button wanted to come back.
const [visit] = performance.getEntriesByType("navigation");
if (!visit || visit.type !== "back_forward") {
  status.textContent = "Opening…";
  location.href = open.href;
  setTimeout(() => {
    if (away || document.hidden) return;
    status.textContent = store ? "It did not open. You can get it from the store." : "It did not open. Is it installed?";
    if (store) location.href = store.href;
  }, 2500);
}
