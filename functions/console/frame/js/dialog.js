// Dialogs and menus. A button with data-dialog="<id>" opens that dialog; a menu closes by Esc, by a click outside and
// by a choice.
function opener(event) {
  const button = event.target.closest?.('[data-dialog]');
  if (!button) return;
  const dialog = document.getElementById(button.dataset.dialog);
  if (!dialog) return;
  event.preventDefault();
  dialog.showModal();
  dialog.dispatchEvent(new CustomEvent('dialog:open', { detail: { button } }));
}

function close(menu) {
  if (!menu.open) return;
  const inside = menu.contains(document.activeElement);
  menu.open = false;
  if (inside) menu.querySelector('summary').focus();
}

document.addEventListener('click', (event) => {
  opener(event);
  for (const menu of document.querySelectorAll('details[data-drop][open]')) {
    const within = menu.contains(event.target);
    if (!within || event.target.closest('.menu a, .menu button')) close(menu);
  }
  if (event.target.matches?.('dialog[open]') && event.target.id) {   // the backdrop belongs to the dialog
    const box = event.target.getBoundingClientRect();
    if (event.clientY < box.top || event.clientY > box.bottom || event.clientX < box.left || event.clientX > box.right) event.target.close();
  }
});

document.addEventListener('keydown', (event) => {
  const menu = document.querySelector('details[data-drop][open]');
  if (!menu) return;
  if (event.key === 'Escape') { event.preventDefault(); close(menu); return; }
  if (!['ArrowDown', 'ArrowUp'].includes(event.key)) return;
  const rows = [...menu.querySelectorAll('.menu :is(a[href], button:not(:disabled))')];
  const at = rows.indexOf(document.activeElement), step = event.key === 'ArrowDown' ? 1 : -1;
  rows[(at + step + rows.length) % rows.length]?.focus();
  event.preventDefault();
}, { capture: true });
