// The sign-in window is ours when it comes back; it hands the proof over to this frame and to nobody else.
const status = document.querySelector('[data-status]')
const onward = document.querySelector('[data-continue]')

for (const start of document.querySelectorAll('[data-sign-in][target=sign-in]')) {
  start.addEventListener('submit', () => {
    window.open('about:blank', 'sign-in', 'popup,width=520,height=720')
    status.textContent = 'Sign in in the window that has opened. This page goes on by itself.'
  })
}

window.addEventListener('message', (event) => {
  if (event.origin !== window.location.origin || typeof event.data?.proof !== 'string') return
  onward.elements.proof.value = event.data.proof
  onward.submit()
})
