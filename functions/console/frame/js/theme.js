// Light or dark at once, without a new page; the form keeps the choice (frame/look.py).
import { send } from './net.js';

const root = document.documentElement;

document.addEventListener('submit', (event) => {
  if (!event.target.matches('[data-theme-form]')) return;
  event.preventDefault();
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  const theme = dark ? 'light' : 'dark';
  root.dataset.theme = theme;
  event.target.querySelector('[name=theme]').value = theme;
  send(event.target, event.submitter).catch(() => {});   // the look of this page has changed already
});
