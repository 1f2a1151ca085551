import { debugHandler } from '../handlers/debug.ts'
import { startDebugServerHandler, stopDebugServerHandler } from '../handlers/debug-server.ts'
import { interruptHandler } from '../handlers/interrupt.ts'
import { kernelInfoHandler } from '../handlers/kernel-info.ts'
import { kernelStatusHandler } from '../handlers/kernel-status.ts'
import { shutdownHandler } from '../handlers/shutdown.ts'
import { listSubshellHandler, subshellHandler } from '../handlers/subshell.ts'
import { usageHandler } from '../handlers/usage.ts'
import { variablesHandler } from '../handlers/variables.ts'
import type { Services } from '../services.ts'
import { type RouteTable, route } from './route.ts'

/** What the control channel answers, in order, whatever runs. */
export function controlTable(services: Services): RouteTable {
  return {
    kernel_info_request: route('kernel_info_request', kernelInfoHandler(services), { poll: true }),
    interrupt_request: route('interrupt_request', interruptHandler(services)),
    shutdown_request: route('shutdown_request', shutdownHandler(services)),
    debug_request: route('debug_request', debugHandler(services), { beside: true }),
    start_debug_server_request: route('start_debug_server_request', startDebugServerHandler(services)),
    stop_debug_server_request: route('stop_debug_server_request', stopDebugServerHandler(services)),
    usage_request: route('usage_request', usageHandler(services), { poll: true }),
    kernel_status_request: route('kernel_status_request', kernelStatusHandler(services), { poll: true }),
    variables_request: route('variables_request', variablesHandler(services), { beside: true }),
    create_subshell_request: route('create_subshell_request', subshellHandler()),
    delete_subshell_request: route('delete_subshell_request', subshellHandler()),
    list_subshell_request: route('list_subshell_request', listSubshellHandler(), { poll: true }),
  }
}
