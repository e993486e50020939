/* Telegram's answer stands behind the # of the address, where no server sees it: hand it in by our own form. */
(() => {
  const form = document.getElementById("telegram-back");
  const found = /[#&]tgAuthResult=([^&]*)/.exec(location.hash);
  form.elements.tgAuthResult.value = found ? decodeURIComponent(found[1]) : "";
  history.replaceState(null, "", location.pathname + location.search);
  form.submit();
})();
