// Told to our own origin only: a window of another origin that opened us learns nothing.
const status = document.querySelector('[data-status]')
if (window.opener) {
  window.opener.postMessage({ proof: status.dataset.proof }, window.location.origin)
  status.textContent = 'You can close this window.'
  window.close()
}
