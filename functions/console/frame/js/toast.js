// Toasts: short messages at the edge. One with an undo stays as long as the undo works, others for six seconds; none
// goes while the pointer or the focus is on it.
const STAYS_MS = 6000, UNDO_MS = 8000, ERROR_MS = 12_000;
const box = document.getElementById('toasts');

function dress(element) {
  const stays = element.querySelector('form') ? UNDO_MS : element.classList.contains('is-bad') ? ERROR_MS : STAYS_MS;
  const leave = () => (element.matches(':hover, :focus-within') ? setTimeout(leave, 1000) : element.remove());
  setTimeout(leave, stays);
}

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg'), use = document.createElementNS(svg.namespaceURI, 'use');
  svg.classList.add('i'); svg.setAttribute('aria-hidden', 'true'); use.setAttribute('href', `#i-${name}`); svg.append(use);
  return svg;
}

export function toast(text, { bad = false } = {}) {
  const element = document.createElement('div'), words = document.createElement('span');
  element.className = bad ? 'toast is-bad' : 'toast'; element.dataset.toast = ''; words.textContent = text;
  element.append(icon(bad ? 'alert' : 'check'), words);
  box?.append(element); dress(element);
  return element;
}

// The messages of a page that was asked for by a script.
export function adopt(fresh) {
  for (const element of fresh.querySelectorAll('#toasts [data-toast]')) {
    const own = document.importNode(element, true);
    box?.append(own); dress(own);
  }
}

for (const element of document.querySelectorAll('#toasts [data-toast]')) dress(element);
