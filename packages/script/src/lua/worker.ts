/** Entry of the worker thread of one Lua namespace. */
import { receiveMessageOnPort, workerData } from 'node:worker_threads'
import { LuaNamespace } from './namespace.ts'
import { CONTROL, type NamespaceOptions, type ThreadData } from './protocol.ts'

const { port, control } = workerData as ThreadData
new LuaNamespace({ port, control, ...namespaceOptions() }).serve()

/** The first message; the thread may have been started before anybody knew what is in it. */
function namespaceOptions(): NamespaceOptions {
  const words = new Int32Array(control)
  for (;;) {
    const sequence = Atomics.load(words, CONTROL.WAKE)
    const received = receiveMessageOnPort(port)
    if (received) return received.message as NamespaceOptions
    Atomics.wait(words, CONTROL.WAKE, sequence)
  }
}
