import type { Command } from './command.js'
import { demo } from './demo.js'
import { serve } from './serve.js'

/** Every command, in the order in which a newcomer meets them. */
export const COMMANDS: readonly Command[] = [demo, serve]
