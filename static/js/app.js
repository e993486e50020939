// Small comforts on top of pages that work without them. No dependency, no inline code, one listener per kind of event.
(() => {
  'use strict';

  const TOAST_MS = 5000;
  const TOPLINE_AFTER_MS = 200;
  const html = document.documentElement;
  const on = (type, run, options) => document.addEventListener(type, run, options);
  const closest = (event, selector) => (event.target instanceof Element ? event.target.closest(selector) : null);

  // --- What needs a script is hidden until there is one
  const reveal = root => root.querySelectorAll('[data-toggle-password][hidden], [data-close][hidden], [data-copy][hidden], [data-copy-from][hidden], [data-print][hidden], .kbd[hidden]').forEach(button => { button.hidden = false; });

  // --- Toasts: five seconds, longer while hovered or focused; errors stay until closed
  const timers = new WeakMap();
  const arm = toast => {
    if (toast.getAttribute('role') === 'alert' || toast.classList.contains('toast-danger')) return;
    clearTimeout(timers.get(toast));
    timers.set(toast, setTimeout(() => toast.remove(), TOAST_MS));
  };
  const hold = toast => clearTimeout(timers.get(toast));
  const region = () => document.getElementById('toasts');
  const show = id => {
    const template = document.getElementById(id);
    if (template && region()) region().append(template.content.cloneNode(true));
  };
  const watchToasts = () => {
    const box = region();
    if (!box) return;
    const start = () => box.querySelectorAll('.toast').forEach(toast => { if (!timers.has(toast)) { reveal(toast); arm(toast); } });
    start();
    new MutationObserver(start).observe(box, { childList: true });
    for (const [type, run] of [['pointerover', hold], ['focusin', hold], ['pointerout', arm], ['focusout', arm]]) {
      box.addEventListener(type, event => { const toast = closest(event, '.toast'); if (toast) run(toast); });
    }
  };

  // --- Countdowns: the server prints one, the page counts on once a minute
  const words = () => document.body.dataset;
  const left = seconds => {
    const { day, hour, minute, soon, over } = words();
    const minutes = Math.floor(seconds / 60), nb = '\u00a0';
    if (seconds <= 0) return over;
    if (minutes < 1) return soon;
    const d = Math.floor(minutes / 1440), h = Math.floor(minutes / 60) % 24, m = minutes % 60;
    if (d) return `${d}${nb}${day} ${h}${nb}${hour}`;
    return h ? `${h}${nb}${hour} ${m}${nb}${minute}` : `${m}${nb}${minute}`;
  };
  const tick = () => document.querySelectorAll('time[data-deadline]').forEach(time => {
    const deadline = Date.parse(time.dataset.deadline);
    if (!Number.isNaN(deadline)) time.textContent = left((deadline - Date.now()) / 1000);
  });

  // --- Sending a form twice
  const busy = (button, is) => {
    if (!button) return;
    button.classList.toggle('is-busy', is);
    if (is) button.setAttribute('aria-busy', 'true'); else button.removeAttribute('aria-busy');
  };
  on('submit', event => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== 'post' || 'again' in form.dataset) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = '1';
    busy(event.submitter, true);
  });
  // A sheet that is a form has done its work once it is sent (htmx swaps the results behind it).
  on('submit', event => { if (event.target.matches('[popover]:popover-open')) event.target.hidePopover(); });
  addEventListener('pageshow', () => {
    document.querySelectorAll('form[data-sent]').forEach(form => { delete form.dataset.sent; });
    document.querySelectorAll('.is-busy[aria-busy]').forEach(button => busy(button, false));
  });
  on('change', event => {
    const form = closest(event, 'form[data-autosubmit]');
    if (form) form.requestSubmit();
  });

  // --- Keys, menus, clicks
  // A key that the page offers (data-key) presses its button or link; on a fold-out it opens it at the first field.
  // On a Cyrillic layout the key's place counts.
  const offered = event => {
    const letter = /^[a-z]$/i.test(event.key) ? event.key.toLowerCase() : event.code.replace(/^Key/, '').toLowerCase();
    return /^[a-z]$/.test(letter) && !event.repeat && !document.querySelector('dialog[open]') ? document.querySelector(`[data-key="${letter}"]`) : null;
  };
  on('keydown', event => {
    const typing = event.target instanceof Element && event.target.closest('input, textarea, select, [contenteditable]');
    const plain = !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
    const wanted = plain && offered(event);
    if (wanted) {
      event.preventDefault();
      const fold = wanted.tagName === 'SUMMARY' && wanted.parentElement;
      if (fold) { fold.open = true; fold.querySelector('select, textarea, input:not([type=hidden])')?.focus(); } else wanted.click();
    }
    if (event.key === '/' && plain) {
      const field = [...document.querySelectorAll('[data-search], input[type=search]')].find(input => input.offsetParent);
      if (field) { event.preventDefault(); field.focus(); field.select(); }
    }
    if (event.key === 'Escape') {
      document.querySelectorAll('details.menu[open]').forEach(menu => {
        const inside = menu.contains(document.activeElement);
        menu.open = false;
        if (inside) menu.querySelector('summary').focus();
      });
    }
  });
  on('click', event => {
    document.querySelectorAll('details.menu[open]').forEach(menu => { if (!menu.contains(event.target)) menu.open = false; });

    const close = closest(event, '[data-close]');
    if (close) close.closest('.toast, .note')?.remove();

    if (closest(event, '[data-print]')) print();

    const copy = closest(event, '[data-copy], [data-copy-from]');
    if (copy) {
      const source = copy.dataset.copyFrom && document.querySelector(copy.dataset.copyFrom);
      const text = source ? (source.value ?? source.textContent).trim() : copy.dataset.copy;
      navigator.clipboard?.writeText(text).then(() => {
        const label = copy.querySelector('[data-label]') ?? copy;
        if (!copy.dataset.copied || label.dataset.before) return;
        label.dataset.before = label.textContent;
        label.textContent = copy.dataset.copied;
        setTimeout(() => { label.textContent = label.dataset.before; delete label.dataset.before; }, 2000);
      }).catch(() => {});
    }

    const toggle = closest(event, '[data-toggle-password]');
    if (toggle) {
      const input = document.getElementById(toggle.dataset.togglePassword);
      const shown = input.type === 'text';
      input.type = shown ? 'password' : 'text';
      toggle.setAttribute('aria-pressed', String(!shown));
    }

    // Where the browser does not know command buttons yet
    const opener = closest(event, '[commandfor]');
    if (opener && !('commandForElement' in HTMLButtonElement.prototype)) {
      const target = document.getElementById(opener.getAttribute('commandfor'));
      const command = opener.getAttribute('command');
      if (command === 'show-modal' && !target?.open) target?.showModal?.();
      if (command === 'close') target?.close?.();
      if (command === 'toggle-popover') target?.togglePopover?.();
      if (command === 'show-popover') target?.showPopover?.();
      if (command === 'hide-popover') target?.hidePopover?.();
    }
    if (event.target instanceof HTMLDialogElement && event.target.open) {
      const box = event.target.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside && event.detail) event.target.close();
    }
  });

  // --- Choosing files: previews, the look of the drop zone, progress
  const drop = event => closest(event, '[data-drop]');
  for (const [type, is] of [['dragenter', true], ['dragover', true], ['dragleave', false], ['drop', false]]) {
    on(type, event => drop(event)?.classList.toggle('is-over', is));
  }
  on('change', event => {
    const input = event.target;
    if (!(input instanceof HTMLInputElement) || input.type !== 'file') return;
    const zone = input.closest('[data-drop]');
    const box = input.dataset.previews ? document.querySelector(input.dataset.previews) : zone?.parentElement.querySelector('[data-previews]');
    if (!box) return;
    box.querySelectorAll('img').forEach(img => URL.revokeObjectURL(img.src));
    box.replaceChildren(...[...input.files].map(file => {
      const thumb = document.createElement('div');
      thumb.className = 'thumb';
      if (file.type.startsWith('image/')) {
        const img = document.createElement('img');
        img.alt = file.name;
        img.src = URL.createObjectURL(file);
        thumb.append(img);
      } else {
        thumb.textContent = file.name;
      }
      return thumb;
    }));
    box.hidden = !input.files.length;
    const count = input.form?.querySelector('[data-file-count]');
    if (count) count.value = input.files.length;
    showCover();
  });
  // A chosen picture has not been sent yet, so only the page knows it: the preview's cover is put in here.
  const showCover = () => {
    const preview = document.querySelector('[data-cover-of]'), cover = preview?.querySelector('.cover img');
    const chosen = preview && document.querySelector(preview.dataset.coverOf)?.closest('.field').querySelector('[data-previews] img');
    if (cover && chosen && !document.querySelector('input[name=first]')) cover.src = chosen.src;
  };
  on('htmx:afterSwap', showCover);
  on('htmx:xhr:progress', event => {
    const line = event.target instanceof Element && event.target.querySelector('[data-progress]');
    if (!line || !event.detail.lengthComputable) return;
    line.hidden = false;
    line.querySelector('progress').value = event.detail.loaded / event.detail.total * 100;
  });

  // --- htmx: the line at the top, busy buttons, hearts that turn at once, refusals as toasts
  let pending = 0, lineTimer;
  const line = shown => { const el = document.getElementById('topline'); if (el) el.hidden = !shown; };
  const turn = heart => heart.setAttribute('aria-pressed', String(heart.getAttribute('aria-pressed') !== 'true'));
  const pressed = event => event.detail.requestConfig?.triggeringEvent?.submitter ?? (event.detail.elt.matches?.('button') ? event.detail.elt : null);
  on('htmx:beforeRequest', event => {
    if (!pending++) lineTimer = setTimeout(line, TOPLINE_AFTER_MS, true);
    const heart = event.detail.elt.closest?.('.fav');
    if (heart) turn(heart); else busy(pressed(event), true);
  });
  on('htmx:afterRequest', event => {
    pending = Math.max(0, pending - 1);
    if (!pending) { clearTimeout(lineTimer); line(false); }
    const heart = event.detail.elt.closest?.('.fav');
    if (heart && event.detail.failed) turn(heart);
    if (!heart) busy(pressed(event), false);
  });
  on('htmx:beforeSwap', event => {
    const { xhr } = event.detail;
    if (xhr.status >= 400 && xhr.getResponseHeader('HX-Retarget')) { event.detail.shouldSwap = true; }
  });
  on('htmx:responseError', event => { if (!event.detail.xhr.getResponseHeader('HX-Retarget')) show('toast-failed'); });
  on('htmx:sendError', () => show('toast-offline'));
  on('htmx:timeout', () => show('toast-offline'));
  on('htmx:load', event => { if (event.target instanceof Element) { reveal(event.target); tick(); } });

  html.classList.add('js');
  reveal(document);
  watchToasts();
  tick();
  setInterval(tick, 60000);
})();
