/** What the care-plan app shows: opened, read, looked at. One browser for all of it. */
import './care-plan-launch.js'
import './care-plan-states.js'
import './care-plan-none.js'
import './care-plan-look.js'
import './care-plan-unclear.js'
