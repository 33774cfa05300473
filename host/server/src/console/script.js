// A form that was sent cannot be sent again; the server does it once in any case.
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("button")) button.disabled = true;
  });
}
// What was refused is where the eye and the keyboard should be.
const wrong = document.querySelector(".wrong");
if (wrong) {
  wrong.tabIndex = -1;
  wrong.focus();
}
