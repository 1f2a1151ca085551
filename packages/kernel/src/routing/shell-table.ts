import { commCloseHandler } from '../handlers/comm-close.ts'
import { commInfoHandler } from '../handlers/comm-info.ts'
import { commMsgHandler } from '../handlers/comm-msg.ts'
import { commOpenHandler } from '../handlers/comm-open.ts'
import { completeHandler } from '../handlers/complete.ts'
import { connectHandler } from '../handlers/connect.ts'
import { executeHandler } from '../handlers/execute.ts'
import { historyHandler } from '../handlers/history.ts'
import { inspectHandler } from '../handlers/inspect.ts'
import { interruptHandler } from '../handlers/interrupt.ts'
import { isCompleteHandler } from '../handlers/is-complete.ts'
import { kernelInfoHandler } from '../handlers/kernel-info.ts'
import { shutdownHandler } from '../handlers/shutdown.ts'
import { variablesHandler } from '../handlers/variables.ts'
import type { Services } from '../services.ts'
import { queuedRoute, type RouteTable, route } from './route.ts'

/**
 * What the shell channel answers. Only executions wait for each other: completion, inspection and the rest are answered while a
 * cell runs. Interrupt and shutdown belong on control; clients before protocol 5.4 send them here.
 */
export function shellTable(services: Services): RouteTable {
  return {
    kernel_info_request: route('kernel_info_request', kernelInfoHandler(services), { poll: true }),
    connect_request: route('connect_request', connectHandler(services), { poll: true }),
    execute_request: queuedRoute('execute_request', executeHandler(services)),
    complete_request: route('complete_request', completeHandler(services)),
    inspect_request: route('inspect_request', inspectHandler(services)),
    is_complete_request: route('is_complete_request', isCompleteHandler(services)),
    history_request: route('history_request', historyHandler(services)),
    comm_open: route('comm_open', commOpenHandler(services)),
    comm_msg: route('comm_msg', commMsgHandler(services)),
    comm_close: route('comm_close', commCloseHandler(services)),
    comm_info_request: route('comm_info_request', commInfoHandler(services), { poll: true }),
    variables_request: route('variables_request', variablesHandler(services)),
    interrupt_request: route('interrupt_request', interruptHandler(services)),
    shutdown_request: route('shutdown_request', shutdownHandler(services)),
  }
}
