import type { RequestContext } from '../request-context.ts'
import type { Services } from '../services.ts'

/** A comm message makes scripts act: what they print then belongs to it. */
export async function withOrigin(
  { origins, output }: Services,
  { message, peer }: RequestContext,
  deliver: () => Promise<void>,
): Promise<undefined> {
  const id = message.header.msg_id
  const origin = output.createOrigin(message.header, peer, false, undefined)
  origins.add(id, origin)
  try {
    await deliver()
  } finally {
    output.finish(origin)
    origins.end(id)
  }
}
