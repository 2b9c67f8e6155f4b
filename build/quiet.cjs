// Stands for packages that the browser bundles do without (build/bundle.js says which and why).
const quiet = () => quiet
quiet.extend = () => quiet
module.exports = quiet
