// Changes one tree into another with as few changes as possible, so that focus, scroll and typed text stay.
// Elements with an id are found again wherever they moved; fields and [data-keep] belong to the person.
export function morph(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) { from.replaceWith(document.importNode(to, true)); return; }
  if (from.nodeType !== Node.ELEMENT_NODE) { if (from.data !== to.data) from.data = to.data; return; }
  if (from.isEqualNode(to)) return;
  attributes(from, to);
  if (from.matches('textarea, input, select, [data-keep]')) return;
  const byId = new Map();
  for (const child of from.children) if (child.id) byId.set(child.id, child);
  let current = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const same = wanted.id ? byId.get(wanted.id) : alike(current, wanted) ? current : null;
    if (!same) { from.insertBefore(document.importNode(wanted, true), current); continue; }
    if (same === current) current = current.nextSibling; else from.insertBefore(same, current);
    morph(same, wanted);
  }
  while (current) {
    const next = current.nextSibling;
    if (!current.dataset?.pending) current.remove();
    current = next;
  }
}

function alike(current, wanted) {
  return current && !current.id && current.nodeName === wanted.nodeName;
}

function attributes(from, to) {
  const own = ['open', 'data-own'];
  for (const { name } of [...from.attributes]) if (!to.hasAttribute(name) && !own.includes(name)) from.removeAttribute(name);
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value && name !== 'open') from.setAttribute(name, value);
}
