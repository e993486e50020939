// Passkeys: asks the device, puts its answer into the form's hidden field and sends the form. What a page asks for stands in
// `data-options`; sign-in, where nobody is known yet, fetches it. A form without a script stays hidden: it could do nothing.
(() => {
  'use strict';
  const speak = window.webauthnJSON;
  if (!window.PublicKeyCredential || !speak) return;

  const wanted = async form => {
    if (form.dataset.options) return JSON.parse(form.dataset.options);
    const answer = await fetch(form.action, { headers: { Accept: 'application/json' } });
    if (!answer.ok) throw new Error(String(answer.status));
    return (await answer.json()).request_options;
  };
  const shown = async form => {
    const options = await wanted(form);
    if (form.dataset.passkey !== 'new') return speak.get(options);
    // One kind only: kept by the device, so that it can sign in alone, and opened by a finger or a PIN.
    Object.assign(options.publicKey.authenticatorSelection, { residentKey: 'required', requireResidentKey: true, userVerification: 'required' });
    return speak.create(options);
  };
  const busy = (form, is) => {
    const button = form.querySelector('button:not([type=button])');
    button.classList.toggle('is-busy', is);
    if (is) button.setAttribute('aria-busy', 'true'); else button.removeAttribute('aria-busy');
  };

  document.querySelectorAll('form[data-passkey]').forEach(form => {
    form.hidden = false;
    const trouble = form.querySelector('[data-trouble]');
    form.addEventListener('submit', async event => {
      event.preventDefault();
      trouble.hidden = true;
      busy(form, true);
      try {
        form.elements.credential.value = JSON.stringify(await shown(form));
        form.submit();
      } catch {
        busy(form, false);
        trouble.hidden = false;
      }
    });
  });
})();
