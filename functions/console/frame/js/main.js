// The start of every page. A room's script is named in its template; this one has what all pages share.
import './keys.js';
import './dialog.js';
import './toast.js';
import './theme.js';
import './palette.js';
import './live.js';
import './undo.js';

document.documentElement.dataset.ready = '';
