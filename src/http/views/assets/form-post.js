// The answer to the app travels in this form; the button is for browsers without scripts.
document.querySelector('[data-form-post]').submit()
