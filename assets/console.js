// The console: copies, saves and filters what stands on the page. Without this everything can be marked, and searched for with the button.
for (const part of document.querySelectorAll("[data-scripted]")) part.hidden = false;

document.addEventListener("click", async ({ target }) => {
  const { copy, save, name } = target.dataset;
  const field = document.getElementById(copy ?? save);
  if (!field) return;
  if (save) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([field.value]));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
    return;
  }
  field.select();
  const said = target.parentElement.querySelector("[role=status]");
  try {
    await navigator.clipboard.writeText(field.value);
    said.textContent = "Copied.";
  } catch {
    said.textContent = "Marked: copy it with your keyboard.";
  }
});

document.addEventListener("input", ({ target }) => {
  if (target.name !== "search") return;
  const wanted = target.value.toLowerCase();
  const rows = [...document.querySelectorAll("[data-rows] tbody tr")];
  for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  const none = rows.every((row) => row.hidden);
  document.getElementById("filtered").textContent = none ? "Nothing on this page is like that. Search looks through everything." : "";
});
