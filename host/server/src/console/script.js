// A form that was sent cannot be sent again; the server does it once in any case.
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("button")) button.disabled = true;
  });
}
// A page that the browser kept and shows again is of before: its forms were sent already.
addEventListener("pageshow", (shown) => {
  if (shown.persisted) location.reload();
});
// What was refused is where the eye and the keyboard should be.
const wrong = document.querySelector("[aria-invalid], .wrong");
if (wrong) {
  if (!wrong.matches("input, select, textarea")) wrong.tabIndex = -1;
  wrong.focus();
}
// Where somebody is; and choosing the language leads back there, unless a form was refused: its address is no page.
for (const link of document.querySelectorAll("nav a")) {
  const path = link.pathname;
  const isHere = path === "/console" ? location.pathname === path : `${location.pathname}/`.startsWith(`${path}/`);
  if (isHere) link.setAttribute("aria-current", "page");
}
const language = document.querySelector("a[hreflang]");
if (language && !wrong) language.search = new URLSearchParams({ to: location.pathname });
// What goes on is followed as the server tells it; where it cannot be followed, the page is loaded again after a while. A
// page in which somebody is typing is left alone.
const again = document.querySelector("meta[name=care-again]");
const isTyping = () => [...document.querySelectorAll("main form input, main form textarea, main form select")].some(
  (field) => field === document.activeElement || (field.type !== "hidden" && field.value !== field.defaultValue && field.tagName !== "SELECT"),
);
const reloadLater = () => {
  if (again) setTimeout(() => (isTyping() ? reloadLater() : location.reload()), Number(again.content) * 1000);
};
const progress = document.querySelector("progress[data-follow]");
if (progress && window.EventSource) {
  const source = new EventSource(progress.dataset.follow);
  const told = document.querySelector("output[for=progress]");
  source.addEventListener("progress", (event) => {
    const status = JSON.parse(event.data);
    progress.max = status.customers ?? progress.max;
    progress.value = status.decided;
    told.textContent = `${status.decided.toLocaleString("en")} / ${progress.max.toLocaleString("en")}`;
  });
  source.addEventListener("done", () => {
    source.close();
    location.reload();
  });
  source.addEventListener("error", () => {
    source.close();
    reloadLater();
  });
} else {
  reloadLater();
}
