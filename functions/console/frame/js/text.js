// Texts that scripts show, in the page's language. The English text is the key (frame/texts.py collects them).
const island = document.getElementById('texts');
const texts = island ? JSON.parse(island.textContent) : {};

export function t(text, values = {}) {
  return (texts[text] ?? text).replace(/%\((\w+)\)s/g, (_, name) => values[name] ?? '');
}
