// Small comforts on top of pages that work without them. No dependency, no inline code, one listener per kind of event.
(() => {
  'use strict';

  const TOAST_MS = 5000;
  const TOPLINE_AFTER_MS = 200;
  const html = document.documentElement;
  const on = (type, run, options) => document.addEventListener(type, run, options);
  const closest = (event, selector) => (event.target instanceof Element ? event.target.closest(selector) : null);

  // --- What needs a script is hidden until there is one
  const reveal = root => root.querySelectorAll('[data-needs-script][hidden], [data-toggle-password][hidden], [data-close][hidden], [data-copy][hidden], [data-copy-from][hidden], [data-print][hidden], .kbd[hidden]').forEach(button => { button.hidden = false; });

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
    const start = () => box.querySelectorAll('.toast').forEach(toast => { if (!timers.has(toast) && !toast.dataset.seen) { toast.dataset.seen = '1'; reveal(toast); arm(toast); announce(toast); } });
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
  // What a page fetches by itself (an event, a timer) fails quietly: the state of the connection is shown already.
  const byItself = event => /^(sse:|liveSync|every)/.test(event.detail.requestConfig?.triggeringEvent?.type ?? 'every');
  on('htmx:responseError', event => {
    const gone = event.detail.xhr.status === 404 && event.detail.elt.dataset?.gone;
    if (gone) { show(gone); event.detail.elt.remove(); return; }
    if (!event.detail.xhr.getResponseHeader('HX-Retarget') && !byItself(event)) show('toast-failed');
  });
  let again;
  const noAnswer = event => {
    if (byItself(event)) return;
    const { elt, requestConfig: { triggeringEvent } } = event.detail;
    again = () => {
      // Its card may have been fetched anew meanwhile.
      const address = elt.getAttribute('hx-post');
      const twin = !elt.isConnected && address ? document.querySelector(`[hx-post="${CSS.escape(address)}"]`) : null;
      if (twin) htmx.trigger(twin, triggeringEvent?.type ?? 'click');
      else if (!elt.isConnected) location.reload();
      else if (elt.requestSubmit && triggeringEvent?.type === 'submit') elt.requestSubmit(triggeringEvent.submitter?.isConnected ? triggeringEvent.submitter : undefined);
      else htmx.trigger(elt, triggeringEvent?.type ?? 'click');
    };
    if (!document.querySelector('.toast[data-offline]')) show('toast-offline');
  };
  on('htmx:sendError', noAnswer);
  on('htmx:timeout', noAnswer);
  on('click', event => {
    const button = closest(event, '[data-try-again]');
    if (!button) return;
    button.closest('.toast').remove();
    again?.();
  });
  on('htmx:load', event => { if (event.target instanceof Element) { reveal(event.target); tick(); } });

  // --- The end of a sign-in: what was one person's leaves the page and the browser's storage, with a network or without
  // The end is told a moment before it has happened everywhere. A page that has only just loaded itself afresh stays as it came: it
  // must not do so for ever.
  const LEAVING_MS = 1500, SETTLING_MS = 10000;
  const forget = () => {
    try { Object.keys(localStorage).filter(key => key.startsWith('draft:')).forEach(key => localStorage.removeItem(key)); } catch { /* nothing is kept */ }
  };
  const blank = () => document.body.replaceChildren();
  // Not reload(): a page that answered a form would ask whether to send it again.
  const afresh = () => { note(); location.replace(location.pathname + location.search); };
  const note = () => { try { sessionStorage.setItem('afresh', String(Date.now())); } catch { /* then it is not known */ } };
  const isSettling = () => { try { return Date.now() - Number(sessionStorage.getItem('afresh')) < SETTLING_MS; } catch { return true; } };
  let hasLeft = false, isTaken = false;
  const takeAway = () => {
    // A page that is waiting for the answer to its own form (signing out, a new password) goes by itself.
    if (isTaken || hasLeft || !('in' in document.body.dataset) || document.querySelector('form[data-sent]')) return;
    isTaken = true;
    forget();
    blank();
    setTimeout(afresh, LEAVING_MS);
  };
  on('submit', event => {
    if (!event.target.matches('form[data-leaves]')) return;
    hasLeft = true;
    forget();
    try { localStorage.setItem('left', String(Date.now())); } catch { /* other tabs hear it from the server */ }
  });
  addEventListener('pagehide', () => { if (hasLeft) blank(); });
  addEventListener('pageshow', event => { if (event.persisted && hasLeft) afresh(); });
  // Another tab of this browser has signed out; what it has asked for is on its way.
  addEventListener('storage', event => { if (event.key === 'left' && event.newValue) takeAway(); });
  const signedOut = event => { if (event.data === 'now' || !isSettling()) takeAway(); };

  // --- Live: one event stream per page, and the state of its connection (docs/live.md)
  // States of connections by name ("page", or the address of a socket): the worst one is shown.
  const RANK = ['connected', 'connecting', 'reconnecting', 'offline'];
  const CONNECTING_AFTER_MS = 400, CONNECTED_FOR_MS = 1500;
  const states = new Map();
  let shown = '', stateTimer;
  const paint = state => {
    const box = document.getElementById('conn');
    shown = state;
    if (!box) return;
    box.hidden = !state;
    if (!state) return;
    box.dataset.state = state;
    box.querySelector('[data-label]').textContent = box.dataset[state];
  };
  const connection = (name, state) => {
    if (state) states.set(name, state); else states.delete(name);
    clearTimeout(stateTimer);
    const worst = [...states.values()].sort((a, b) => RANK.indexOf(b) - RANK.indexOf(a))[0] ?? '';
    if (worst === 'connecting') { if (!shown) stateTimer = setTimeout(paint, CONNECTING_AFTER_MS, worst); return; }
    if (worst !== 'connected') { paint(worst); return; }
    if (!shown) return;
    if (shown === 'connecting') { paint(''); return; }
    paint('connected');
    stateTimer = setTimeout(paint, CONNECTED_FOR_MS, '');
  };
  const sync = () => htmx.trigger(document.body, 'liveSync');

  // An EventSource that comes back by itself: later and later, with chance in it, at once when the network or the reader
  // returns. A page that nobody looks at lets go of it after a minute (browsers allow six connections to a site), unless the
  // reader wants to be called by a sound.
  const FIRST_MS = 1000, MOST_MS = 60000, HIDDEN_MS = 60000;
  class Stream extends EventTarget {
    constructor(url) {
      super();
      this.url = url;
      this.types = new Set();
      this.tries = 0;
      this.readyState = 0;
      this.relay = event => {
        if (event.lastEventId) this.last = event.lastEventId;
        this.dispatchEvent(new MessageEvent(event.type, { data: event.data, lastEventId: event.lastEventId }));
      };
      addEventListener('online', () => this.now());
      // The line may look open for minutes yet: what it had to say is lost all the same.
      addEventListener('offline', () => { this.rest(); if (this.wasOpen) connection('page', 'offline'); });
      addEventListener('pagehide', () => this.rest());
      addEventListener('pageshow', event => { if (event.persisted) this.now(); });
      document.addEventListener('visibilitychange', () => {
        clearTimeout(this.sleep);
        if (!document.hidden) this.now(); else if (!wantsSound()) this.sleep = setTimeout(() => this.rest(), HIDDEN_MS);
      });
      this.addEventListener('resync', sync);
      this.addEventListener('signed_out', signedOut);
      this.addEventListener('card_changed', event => renewCard(JSON.parse(event.data).id));
      this.connect();
    }
    addEventListener(type, run, options) {
      super.addEventListener(type, run, options);
      if (this.types.has(type)) return;
      this.types.add(type);
      this.source?.addEventListener(type, this.relay);
    }
    connect() {
      clearTimeout(this.timer);
      const more = [this.last && `last=${encodeURIComponent(this.last)}`, 'in' in document.body.dataset && 'in=1'].filter(Boolean).join('&');
      const url = more ? `${this.url}${this.url.includes('?') ? '&' : '?'}${more}` : this.url;
      const source = this.source = new EventSource(url);
      this.types.forEach(type => source.addEventListener(type, this.relay));
      source.onopen = event => {
        this.readyState = 1;
        this.tries = 0;
        html.dataset.live = 'open';
        connection('page', 'connected');
        this.onopen?.(event);
        if (this.wasOpen) sync();
        this.wasOpen = true;
      };
      source.onerror = event => {
        this.readyState = 0;
        source.close();
        this.source = null;
        html.dataset.live = 'broken';
        this.onerror?.(event);
        // A visitor whom a full server does not follow misses nothing but updates: that is not worth a warning.
        if (this.wasOpen) connection('page', navigator.onLine ? 'reconnecting' : 'offline');
        const most = Math.min(MOST_MS, FIRST_MS * 2 ** this.tries++);
        this.timer = setTimeout(() => this.connect(), most * (0.5 + Math.random() / 2));
      };
    }
    now() { if (!this.isClosed && !this.source) { this.tries = 0; this.connect(); } }
    rest() {
      clearTimeout(this.timer);
      this.source?.close();
      this.source = null;
      html.dataset.live = 'resting';
    }
    close() { this.isClosed = true; this.readyState = 2; this.rest(); connection('page', ''); }
  }
  if (window.htmx) htmx.createEventSource = url => new Stream(url);

  // A list of offers: the card of one that has changed is fetched anew, or taken away with what it was about.
  const renewCard = async id => {
    const link = document.querySelector(`.lcard a.stretch[href*="${CSS.escape(id)}"]`);
    const card = link?.closest('.lcard');
    if (!card) return;
    const hadFocus = document.activeElement === link;
    await htmx.ajax('GET', `/listings/${id}/card/`, { target: card, swap: 'outerHTML' });
    if (hadFocus) document.querySelector(`.lcard a.stretch[href*="${CSS.escape(id)}"]`)?.focus();
  };

  // What changed while the line was cut: the page once more for all its cards, and those it does not list any more by themselves.
  on('liveSync', async () => {
    const links = [...document.querySelectorAll('.lcard a.stretch')];
    if (!links.length) return;
    const answer = await fetch(location.href, { headers: { Accept: 'text/html' } }).catch(() => null);
    if (!answer?.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    for (const link of links) {
      const id = link.pathname.split('/')[2];
      const fresh = page.querySelector(`.lcard a.stretch[href*="${CSS.escape(id)}"]`)?.closest('.lcard');
      const card = link.closest('.lcard');
      // One that is the same stays, and with it what its reader is about to press.
      if (!card?.isConnected || fresh?.isEqualNode(card)) continue;
      if (!fresh) { renewCard(id); continue; }
      const hadFocus = document.activeElement === link;
      card.replaceWith(fresh);
      htmx.process(fresh);
      if (hadFocus) fresh.querySelector('a.stretch').focus();
    }
  });

  // Sockets of the ws extension (the chat)
  const socketName = event => event.target instanceof Element ? event.target.getAttribute('ws-connect') ?? 'socket' : 'socket';
  const met = new Set();
  on('htmx:wsConnecting', event => connection(socketName(event), met.has(socketName(event)) ? 'reconnecting' : 'connecting'));
  on('htmx:wsOpen', event => {
    connection(socketName(event), 'connected');
    if (met.has(socketName(event))) sync();
    met.add(socketName(event));
  });
  on('htmx:wsClose', event => {
    const comesBack = [1006, 1011, 1012, 1013].includes(event.detail.event.code);
    connection(socketName(event), comesBack ? (navigator.onLine ? 'reconnecting' : 'offline') : event.detail.event.code === 1000 ? '' : 'offline');
  });
  on('htmx:wsBeforeMessage', event => {
    if (!event.detail.message.startsWith('{')) return;
    event.preventDefault();
    try { if (JSON.parse(event.detail.message).event === 'resync') sync(); } catch { /* not ours */ }
  });

  // --- The bell: on wide screens the latest few open below it, and grow while they are open; elsewhere it is a link
  const panel = () => document.getElementById('bell-panel');
  let wasOpen = false;
  on('pointerdown', event => { if (closest(event, '#bell')) wasOpen = Boolean(panel()?.matches(':popover-open')); }, true);
  on('click', event => {
    const bell = closest(event, '#bell'), box = panel();
    if (!bell || !box?.showPopover || event.button || event.ctrlKey || event.metaKey || event.shiftKey || !matchMedia('(min-width: 64rem)').matches) return;
    event.preventDefault();
    // The press outside it has closed it already.
    if (wasOpen) { wasOpen = false; return; }
    if (box.matches(':popover-open')) box.hidePopover(); else { box.showPopover(); htmx.trigger(box, 'bellOpened'); }
  });
  on('htmx:oobAfterSwap', event => {
    if (event.detail.target?.id === 'bell' && panel()?.matches(':popover-open')) htmx.trigger(panel(), 'bellOpened');
  });

  // --- A sound if the reader wants one, a buzz on phones for what is important; once, however many tabs are open
  const wantsSound = () => localStorage.getItem('sound') === 'on';
  const chime = () => {
    const audio = new AudioContext(), gain = audio.createGain();
    gain.connect(audio.destination);
    gain.gain.setValueAtTime(0.08, audio.currentTime);
    gain.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.5);
    for (const [hertz, after] of [[660, 0], [880, 0.12]]) {
      const tone = audio.createOscillator();
      tone.frequency.value = hertz;
      tone.connect(gain);
      tone.start(audio.currentTime + after);
      tone.stop(audio.currentTime + 0.5);
    }
    setTimeout(() => audio.close(), 700);
    html.dataset.chimed = String(Number(html.dataset.chimed ?? 0) + 1);
  };
  const announce = toast => {
    const id = toast.dataset.told;
    if (!id || localStorage.getItem('told') === id) return;
    localStorage.setItem('told', id);
    if (wantsSound()) chime();
    // A browser refuses, and says so in its console, before anybody has touched the page.
    if (toast.matches('.toast-danger, .toast-warn') && navigator.userActivation?.hasBeenActive !== false) navigator.vibrate?.([80, 40, 80]);
  };
  const showSound = root => root.querySelectorAll('[data-sound]').forEach(box => {
    box.hidden = !('AudioContext' in window);
    box.querySelector('[data-sound-toggle]').setAttribute('aria-pressed', String(wantsSound()));
  });
  on('click', event => {
    if (!closest(event, '[data-sound-toggle]')) return;
    localStorage.setItem('sound', wantsSound() ? 'off' : 'on');
    showSound(document);
    if (wantsSound()) chime();
  });

  html.classList.add('js');
  reveal(document);
  showSound(document);
  watchToasts();
  tick();
  setInterval(tick, 60000);
})();
