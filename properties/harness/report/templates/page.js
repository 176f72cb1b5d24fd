for (const text of document.querySelectorAll("pre.copy")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy " + text.dataset.what);
  const status = document.createElement("span");
  status.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      status.textContent = " copied";
    } catch {
      getSelection().selectAllChildren(text);
      status.textContent = " selected: copy it with your keyboard";
    }
  });
  text.before(button, status);
}

const form = document.querySelector(".search");
if (form) {
  const failures = [...document.querySelectorAll("[data-operation]")].map((element) => {
    const copy = element.cloneNode(true);
    for (const unread of copy.querySelectorAll("details, pre, svg, button")) unread.remove();
    return { element, text: copy.textContent.toLowerCase() };
  });
  function choose() {
    const words = form.words.value.toLowerCase().split(/\s+/);
    const { operation, outcome } = form;
    let shown = 0;
    for (const { element, text } of failures) {
      const chosen = [operation, outcome].every(({ name, value }) => !value || value === element.dataset[name]);
      element.hidden = !(chosen && words.every((word) => text.includes(word)));
      shown += !element.hidden;
    }
    const isNarrowed = shown < failures.length;
    for (const group of document.querySelectorAll(".group")) {
      group.hidden = !group.querySelector("[data-operation]:not([hidden])");
      if (isNarrowed) group.open = true;
    }
    for (const item of document.querySelectorAll("[data-group]")) {
      item.hidden = document.getElementById(item.dataset.group).hidden;
    }
    form.querySelector("[role=status]").textContent = isNarrowed ? `${shown} of ${failures.length} failures` : "";
  }
  form.hidden = false;
  form.addEventListener("input", choose);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => {
    const wanted = document.querySelector(":target");
    if (!wanted?.hidden) return;
    form.reset();
    choose();
    wanted.scrollIntoView();
  });
}

const scrollable = ".scroll, figure, .formula";
function letKeysScroll() {
  for (const box of document.querySelectorAll(scrollable)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
addEventListener("resize", letKeysScroll);
document.addEventListener("toggle", letKeysScroll, true);
letKeysScroll();
