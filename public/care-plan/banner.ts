/** Who the page is about: always in sight, whatever else is on the screen. */
import { bdi, h, icon } from './dom.js'
import type { Banner } from './patient.js'

const item = (label: string, value: string, className = ''): HTMLElement =>
  h(
    'li',
    { class: `patient__item ${className}`.trim() },
    h('span', { class: 'patient__label' }, label),
    ' ',
    h('span', { class: 'patient__value' }, bdi(value)),
  )

export function bannerView(banner: Banner): HTMLElement {
  const sensitive = h(
    'strong',
    { class: 'nhsuk-tag nhsuk-tag--purple patient__tag' },
    icon('lock'),
    'Sensitive record',
  )
  return h(
    'section',
    { class: 'patient', 'aria-label': 'Patient' },
    h(
      'div',
      { class: 'patient__top' },
      h('p', { class: 'patient__name' }, bdi(banner.name)),
      banner.died === undefined
        ? undefined
        : h('strong', { class: 'nhsuk-tag nhsuk-tag--grey patient__tag' }, 'Deceased'),
      banner.sensitive ? sensitive : undefined,
    ),
    h(
      'ul',
      { class: 'patient__items' },
      item('Born', banner.born),
      banner.died === undefined ? undefined : item('Died', banner.died, 'patient__item--died'),
      item('Gender', banner.gender, 'patient__item--more'),
      item('NHS No.', banner.nhsNumber),
      banner.address === undefined
        ? undefined
        : item('Address', banner.address, 'patient__item--wrap'),
    ),
    banner.replaced
      ? h(
          'p',
          { class: 'patient__replaced' },
          'This NHS number has replaced an older one, which the record that you came from still names. Check that name and date of birth are the same there.',
        )
      : undefined,
  )
}

let watched: ResizeObserver | undefined

/**
 * Keeps the height of the sticky banner in `--banner`, so that what is focused scrolls to below it and
 * is never hidden behind it (WCAG 2.2, 2.4.11 Focus Not Obscured). One that would take more than half of the screen
 * (a long name in large letters on a telephone) keeps to who the patient is; only where even that takes more than half
 * does it scroll away with the page: nothing could be read below it.
 */
export function watchHeight(banner: HTMLElement): void {
  const root = document.documentElement
  const isTall = () => banner.offsetHeight > window.innerHeight / 2
  const tell = () => {
    root.classList.remove('tall-banner', 'banner-away')
    root.classList.toggle('tall-banner', isTall())
    const away = isTall()
    root.classList.toggle('banner-away', away)
    root.style.setProperty('--banner', away ? '0px' : `${Math.ceil(banner.offsetHeight)}px`)
  }
  if (!watched) {
    watched = new ResizeObserver(tell)
    watched.observe(banner)
    window.addEventListener('resize', tell)
  }
  tell()
}
