/** What the care-plan app lets a user do, and what becomes of it. One browser for all of it. */
import './care-plan-edit.js'
import './care-plan-begin.js'
import './care-plan-conflict.js'
import './care-plan-doubt.js'
import './care-plan-lost.js'
import './care-plan-meanwhile.js'
import './care-plan-session.js'
import './care-plan-unsaved.js'
import { shareProcess } from './care-plan-suite.js'

shareProcess()
