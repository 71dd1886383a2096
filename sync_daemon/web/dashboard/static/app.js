"use strict";

/* Times in the reader's own zone; what is shown stays what the server wrote, so that all of a page agrees. */
function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.title = new Date(time.dateTime).toLocaleString();
  }
}

document.addEventListener("DOMContentLoaded", () => localTimes(document));

document.addEventListener("change", (event) => {
  const name = event.target.dataset ? event.target.dataset.all : undefined;
  if (name) {
    for (const box of event.target.form.querySelectorAll(`input[type=checkbox][name="${name}"]`)) {
      box.checked = event.target.checked;
    }
  }
});

/* What was done is said first to those who listen. */
document.addEventListener("htmx:after:swap", () => {
  localTimes(document);
  const notice = document.getElementById("notice");
  if (notice && !notice.dataset.told) {
    notice.dataset.told = "yes";
    notice.focus({ preventScroll: true });
  }
});

/* A page that took the place of a long form is read from its beginning. */
document.addEventListener("htmx:after:swap", () => {
  const title = document.querySelector("[data-top]");
  if (title) {
    title.removeAttribute("data-top");
    window.scrollTo(0, 0);
  }
});

/* Which inputs something is wrong with, for those who don't see the words beside them. */
function markWrong() {
  const form = document.getElementById("mapping");
  if (!form) return;
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  for (const told of form.querySelectorAll(".wrong [data-about]")) {
    const input = document.getElementsByName(told.dataset.about)[0];
    if (input) input.setAttribute("aria-invalid", "true");
  }
}

document.addEventListener("DOMContentLoaded", markWrong);
document.addEventListener("htmx:after:swap", markWrong);

const offline = (hidden) => () => {
  document.getElementById("offline").hidden = hidden;
};
document.addEventListener("htmx:error", offline(false));
document.addEventListener("htmx:after:request", offline(true));
