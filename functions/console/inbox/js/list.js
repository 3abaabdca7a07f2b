// The list of tickets: keys.
import { bind } from './keys.js';
import { t } from './text.js';

const rows = () => [...document.querySelectorAll('#rows .row')];

function step(by) {
  const all = rows();
  if (!all.length) return false;
  const focused = all.indexOf(document.activeElement), here = all.findIndex((one) => one.hasAttribute('aria-current'));
  const at = focused >= 0 ? focused : here;
  const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
  return true;
}

for (const name of ['j', 'arrowdown']) bind(name, () => step(1), name === 'j' ? t('Next ticket') : '');
for (const name of ['k', 'arrowup']) bind(name, () => step(-1), name === 'k' ? t('Previous ticket') : '');
